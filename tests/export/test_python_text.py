"""Expressions are laid out as ruff lays them out: on one line, or within their brackets."""

from __future__ import annotations

import ast
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.export.python_text import COLUMNS, block, flat, statement, width

NAMES = (
    "x",
    "d_model",
    "n_heads",
    "self.d",
    "eighteen_characters",
    "long_variable_name_of_32_characts",
)
SIGNS = ("+", "-", "*", "//", "%", "@")
INDICES = (":", "...", "0", "None", "3:", "n_heads:", "::2", "self.d :", ":-1", "-3:-1", "2 * x :")


def number(pick: Random, depth: int = 0) -> str:
    kind = pick.random()
    if depth > 2 or kind < 0.4:
        return pick.choice(NAMES)
    if kind < 0.5:
        return str(pick.randrange(-9, 1000))
    parts = number(pick, depth + 1), number(pick, depth + 1)
    if kind < 0.8:
        return f"({parts[0]} {pick.choice(SIGNS)} {parts[1]})"
    return f"max({parts[0]}, {parts[1]})" if kind < 0.9 else f"({parts[0]}) ** 2"


def argument(pick: Random, depth: int = 0) -> str:
    kind = pick.random()
    if kind < 0.6 or depth > 2:
        return number(pick)
    items = "".join(f"{argument(pick, depth + 1)}, " for _ in range(pick.randrange(1, 4)))
    if kind < 0.9:
        return f"({items})" if kind < 0.8 else f"[{items}]"
    return pick.choice(("0.1", "'same'", "True", "None", "1e-05", "0.5 if self.training else 0.0"))


def call(pick: Random) -> str:
    arguments = [argument(pick) for _ in range(pick.randrange(4))]
    names = pick.sample(("bias", "padding", "dim"), pick.randrange(3))
    arguments += [f"{name}={argument(pick)}" for name in names]
    function = pick.choice(("nn.Conv2d", "F.relu", "x.reshape", f"self.{'a' * 48}"))
    return f"{function}({', '.join(arguments)})"


def written(pick: Random) -> list[str]:
    """The lines of a random statement of the kinds that generated code has."""
    kind = pick.random()
    lead = pick.choice(("x =", f"self.{'a' * pick.randrange(1, 48)} =", "return"))
    if kind < 0.6:
        value = call(pick)
    elif kind < 0.7:
        value = f" {pick.choice('+*@')} ".join(pick.choices(NAMES, k=pick.randrange(2, 7)))
    elif kind < 0.8:
        value = f"x[{', '.join(pick.choices(INDICES, k=pick.randrange(1, 4)))}]"
    elif kind < 0.9:
        lead, value = "return", ", ".join(pick.choices(NAMES, k=pick.randrange(1, 6)))
    else:
        value = f"self.{'b' * 48}.weight"
    return statement(lead, ast.parse(value, mode="eval").body)


@settings(max_examples=8)
@given(st.integers(0, 2**32))
def test_ruff_changes_nothing(seed: int) -> None:
    pick = Random(seed)
    parts = ["\n".join(written(pick)) for _ in range(60)]
    source = "class A:\n    def f(self):\n" + "\n        pass\n".join(parts) + "\n"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert formatted == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(a+b)*c - -d**2", "(a + b) * c - -(d**2)"),
        ("a**b**c", "a ** b**c"),
        ("(-a)**2", "(-a) ** 2"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a @ b).sum(1,)", "(a @ b).sum(1)"),
        ("x[1:, ..., None]", "x[1:, ..., None]"),
        ("(1,)", "(1,)"),
        ("()", "()"),
        ("(a if b else c) + 1", "(a if b else c) + 1"),
    ],
)
def test_one_line(source: str, expected: str) -> None:
    tree = ast.parse(source, mode="eval").body
    assert flat(tree) == expected
    assert ast.dump(ast.parse(flat(tree), mode="eval").body) == ast.dump(tree)


def test_comments_stay_where_they_fit() -> None:
    value = ast.parse("self.conv1(x)", mode="eval").body
    assert statement("x =", value, comment="[B, 3]") == ["        x = self.conv1(x)  # [B, 3]"]
    assert statement("x =", value, comment="a" * 80) == ["        x = self.conv1(x)"]
    assert statement("x =", value, comment="a\nimport os") == ["        x = self.conv1(x)"]


def test_wide_letters_take_two_columns() -> None:
    assert width("[B, 卷积]") == 9
    value = ast.parse("x", mode="eval").body
    room = (COLUMNS - len("        y = x  # ")) // 2
    assert statement("y =", value, comment="卷" * room)[0].endswith("卷")
    assert statement("y =", value, comment="卷" * (room + 1)) == ["        y = x"]


def test_heads_of_functions() -> None:
    assert block("def f(", ["self"], ") -> None:", 4) == ["    def f(self) -> None:"]
    several = [f"long_argument_{n}: Tensor" for n in range(4)]
    assert block("def f(", ["self", *several[:3]], ") -> Tensor:", 4) == [
        "    def f(",
        f"        self, {', '.join(several[:3])}",
        "    ) -> Tensor:",
    ]
    assert block("def f(", ["self", *several], ") -> Tensor:", 4)[1:3] == [
        "        self,",
        "        long_argument_0: Tensor,",
    ]
