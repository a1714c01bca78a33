"""The spelling of expressions: what may be written, and what is refused before it is parsed."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from designer.core.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = 500
LONGEST_NAME = 100
DEEPEST = 32

FUNCTION_NAMES = ("min", "max", "ceil", "floor", "round", "abs", "sqrt")
ALLOWED = message(
    "Only + - * / // % ** and {functions} are allowed.",
    functions=", ".join(FUNCTION_NAMES),
)
TOKEN = re.compile(
    r"(?P<number>0[xXoObB][0-9a-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)"
    r"(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|//|[-+*/%(),])"
    r"|(?P<space>\ +)"
)
LIKELY = {"×": "*", "·": "*", "−": "-", "–": "-", "÷": "/", "^": "**"}
TOO_DEEP = message("The expression is nested too deep.")


class ExpressionError(ValueError):
    """An expression that has no value; `message` says why, `column` (from 1) says where."""

    def __init__(self, message: Message, column: int | None = None) -> None:
        super().__init__(str(message))
        self.message = message
        self.column = column


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


@lru_cache(maxsize=10_000)
def _scanned(text: str) -> tuple[_Token, ...]:
    """The tokens of an expression, with all that can be refused before it is parsed."""
    if len(text) > LONGEST:
        raise ExpressionError(message("Longer than {limit} characters.", limit=LONGEST))
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        token = _token_at(text, position)
        _check_token(token, tokens)
        tokens.append(token)
        position += len(token.text)
    marks = [token for token in tokens if token.kind != "space"]
    _check_depth(marks)
    _check_whole(marks)
    return tuple(tokens)


def _token_at(text: str, position: int) -> _Token:
    match = TOKEN.match(text, position)
    end = match.end() if match else position
    if end < len(text) and not text[end].isascii():
        raise ExpressionError(_foreign(text, end), end + 1)
    if match is None:
        raise ExpressionError(_unexpected(text[position]), position + 1)
    return _Token(str(match.lastgroup), match.group(), position)


def _unexpected(sign: str) -> Message:
    if sign in LIKELY:
        return message("Write {plain} instead of {sign}.", plain=LIKELY[sign], sign=sign)
    return ALLOWED


def _foreign(text: str, position: int) -> Message:
    """Why the character at `position`, which is not ASCII, is refused."""
    word = next((m.group() for m in re.finditer(r"\w+", text) if position in range(*m.span())), "")
    plain = _plain(word)
    if not word or not plain.isascii():
        return _unexpected(text[position])
    if plain.isdecimal():
        return message("Write {plain} with plain digits.", plain=plain)
    return message("Write {plain} with plain letters.", plain=plain)


def _plain(word: str) -> str:
    """`word` in compatible characters, with the digits of all scripts as 0 to 9."""
    characters = unicodedata.normalize("NFKC", word)
    return "".join(str(unicodedata.decimal(c, c)) for c in characters)


def _check_token(token: _Token, before: Sequence[_Token]) -> None:
    if token.kind != "name":
        return
    if before and before[-1].kind == "number":
        number, column = before[-1].text, before[-1].start + 1
        text = message("Write {number}*{name}.", number=number, name=token.text)
        raise ExpressionError(text, column)
    if keyword.iskeyword(token.text):
        text = message("{name} is a word of Python.", name=token.text)
        raise ExpressionError(text, token.start + 1)


def _check_depth(tokens: Sequence[_Token]) -> None:
    """Parentheses, signs in a row, and powers are what can nest."""
    depth = signs = powers = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        signs = signs + 1 if token.text in ("+", "-") else 0
        powers += token.text == "**"
        if max(depth, signs, powers) > DEEPEST:
            raise ExpressionError(TOO_DEEP, token.start + 1)


def _check_whole(tokens: Sequence[_Token]) -> None:
    """Refuse what stops short: nothing at all, an open parenthesis, an operator at the end."""
    if not tokens:
        raise ExpressionError(message("The expression is empty."))
    last = tokens[-1]
    if last.kind == "sign" and last.text != ")":
        text = message("Something is missing after {sign}.", sign=last.text)
        raise ExpressionError(text, last.start + len(last.text) + 1)
    opened: list[int] = []
    for token in tokens:
        if token.text == "(":
            opened.append(token.start + 1)
        elif token.text == ")" and not opened:
            raise ExpressionError(message("This parenthesis closes nothing."), token.start + 1)
        elif token.text == ")":
            opened.pop()
    if opened:
        raise ExpressionError(message("This parenthesis is not closed."), opened[-1])


@lru_cache(maxsize=10_000)
def parsed(text: str) -> ast.expr:
    """The syntax tree, with columns from the first character that is no space.

    Raises ExpressionError.
    """
    _scanned(text)
    blank = len(text) - len(text.lstrip(" "))
    try:
        return ast.parse(text.lstrip(" "), mode="eval").body
    except SyntaxError as error:
        column = blank + (error.offset or 1)
        reason = message("The expression cannot be read at column {column}.", column=column)
        raise ExpressionError(reason, column) from None
    except (MemoryError, RecursionError):
        raise ExpressionError(TOO_DEEP) from None


def names(text: str) -> tuple[str, ...]:
    """The names in an expression, each once, in order of appearance. Raises ExpressionError."""
    found = (token.text for token in _scanned(text) if token.kind == "name")
    return tuple(dict.fromkeys(name for name in found if name not in FUNCTION_NAMES))


def rename(text: str, old: str, new: str) -> str:
    """The expression with one name replaced, and the user's spacing kept.

    Raises ExpressionError.
    """
    tokens = _scanned(text)
    return "".join(new if t.kind == "name" and t.text == old else t.text for t in tokens)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """The expression with names replaced by expressions, in parentheses where these need them.

    Raises ExpressionError.
    """
    return "".join(
        _grouped(values[token.text])
        if token.kind == "name" and token.text in values
        else token.text
        for token in _scanned(text)
    )


def _grouped(text: str) -> str:
    alone = len([token for token in _scanned(text) if token.kind != "space"]) == 1
    return text if alone else f"({text})"


def check_name(name: str) -> Message | None:
    """Why `name` cannot be that of a variable or free dimension; None where it can."""
    if not name or not name.strip("_"):
        return message("A name needs a letter.")
    if len(name) > LONGEST_NAME:
        return message("A name has at most {limit} characters.", limit=LONGEST_NAME)
    if not (name.isascii() and name.isidentifier()):
        return _spelling(name)
    if keyword.iskeyword(name):
        return message("{name} is a word of Python.", name=name)
    return message("{name} is a function.", name=name) if name in FUNCTION_NAMES else None


def _spelling(name: str) -> Message:
    plain = _plain(name)
    if not name.isascii() and plain.isascii() and plain.isidentifier():
        return message("Write {plain} with plain letters.", plain=plain)
    return message("A name has plain letters, digits and _, and begins with a letter or _.")
