"""The colours of code, line by line: generated code has no string that spans lines."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType
    from PySide6.QtGui import QTextDocument

    from designer.ui.theme import Theme

KEPT_LINES = 8192


class Stretch(NamedTuple):
    """A part of a line in one colour; places are counted in UTF-16 units, as Qt does."""

    start: int
    length: int
    token: str


@functools.lru_cache(maxsize=KEPT_LINES)
def stretches(line: str) -> tuple[Stretch, ...]:
    """What of a line of Python code is not in the colour of plain text."""
    found = []
    before = ""
    for index, kind, text in _lexer().get_tokens_unprocessed(line):
        token = _colour(kind, before)
        if token:
            found.append(Stretch(_units(line[:index]), _units(text), token))
        before = text if text.strip() else before
    return tuple(found)


@functools.cache
def _lexer() -> Lexer:
    # Imported when the first code is shown: the window comes first.
    from pygments.lexers.python import PythonLexer

    return PythonLexer()


def _colour(kind: _TokenType, before: str) -> str:
    """The colour of a token; empty for plain text. `before` is the word before it."""
    from pygments.token import Token

    if _belongs(kind, Token.Name):
        return "f-linear" if before in ("def", "class") else ""
    for group, token in (
        (Token.Keyword, "f-conv"),
        (Token.Operator.Word, "f-conv"),
        (Token.Literal.String, "f-pool"),
        (Token.Literal.Number, "f-embed"),
        (Token.Comment, "text-3"),
    ):
        if _belongs(kind, group):
            return token
    return ""


def _belongs(kind: _TokenType, group: _TokenType) -> bool:
    return kind[: len(group)] == group


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Colouring(QSyntaxHighlighter):
    """Colours the lines in view; the others when they come into view, for long code is long."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        self._view = range(0)
        self._formats: dict[str, QTextCharFormat] = {}

    def show_lines(self, view: range) -> None:
        """Colour these lines, given by their numbers from 0."""
        self._view = view
        block = self.document().findBlockByNumber(view.start)
        while block.isValid() and block.blockNumber() in view:
            if not block.layout().formats():
                self.rehighlightBlock(block)
            block = block.next()

    def restyle(self) -> None:
        """Take the colours from the theme in force."""
        self._formats.clear()
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if self.currentBlock().blockNumber() in self._view:
            for start, length, token in stretches(text):
                self.setFormat(start, length, self._format(token))

    def _format(self, token: str) -> QTextCharFormat:
        if token not in self._formats:
            self._formats[token] = QTextCharFormat()
            self._formats[token].setForeground(self._theme.colour(token))
        return self._formats[token]
