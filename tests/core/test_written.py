"""Source texts of documents: read as trees, whatever stands in them, and never run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from designer.core.written import LONGEST_SOURCE, Written, collision, fault_of, reading_of

if TYPE_CHECKING:
    from pathlib import Path

CLASS = "class Scale(nn.Module):\n    pass\n"


def fault(source: str, name: str = "Scale") -> str | None:
    """What is wrong with a text that is to define a class."""
    found = fault_of(Written(name, source))
    return None if found is None else str(found)


def test_a_class_with_imports_and_helpers_is_fine() -> None:
    text = "import math\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
    helper = (
        "LIMIT = 3\n\n\ndef clip(x: Tensor) -> Tensor:\n    nn = 1\n    return x.clip(nn)\n\n\n"
    )
    assert fault(text + helper + CLASS) is None
    assert reading_of(text + helper + CLASS).names.keys() == {
        *("math", "F", "Tensor", "nn", "LIMIT", "clip", "Scale")
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "The source has no class Scale."),
        ("Scale = 1", "The source has no class Scale."),
        ("def f():\n    class Scale: pass", "The source has no class Scale."),
        ("\n\nclass Scale(:\n    pass", "Line 3 of the source: invalid syntax."),
        (CLASS + "\tx = 1\n", "Line 3 of the source: inconsistent use of tabs and spaces"),
        ("x = 1 \\", "Line 1 of the source: unexpected EOF while parsing."),
        ("class Scale:\n  a = '''", "Line 2 of the source: unterminated triple-quoted string"),
        ("\ufeff" + CLASS, "Line 1 of the source: invalid non-printable character U+FEFF."),
        ("class Scale:\0 pass", "Line 1 of the source: source code string cannot contain null"),
        ("from __future__ import annotations\n" + CLASS, "Line 1 of the source: this import"),
        ("from torch import *\n" + CLASS, "Line 1 of the source: this import"),
        (CLASS + "F = 3", "Line 3 of the source: F has a meaning already."),
        (CLASS + "import jax as torch", "Line 3 of the source: torch has a meaning already."),
        (CLASS + "from jax import nn", "Line 3 of the source: nn has a meaning already."),
        (CLASS + "def super(): pass", "Line 3 of the source: super has a meaning already."),
        (CLASS + "if 1:\n  for range in (): pass", "Line 3 of the source: range has a meaning"),
        ("class Scale((nn := object)): pass", "Line 1 of the source: nn has a meaning already."),
        (CLASS + "match 1:\n case {**Tensor}: pass", "Line 3 of the source: Tensor has"),
        ("try: pass\nexcept E as nn: pass", "Line 1 of the source: nn has a meaning already."),
        ("x" * (LONGEST_SOURCE + 1), "The source is longer than 100,000 characters."),
        ("-" * 90_000 + "1", "The source cannot be read: nested too deep, or no text."),
        ("a" + ".b" * 40_000, "The source cannot be read: nested too deep, or no text."),
        ("(" * 50_000, "Line 1 of the source: too many nested parentheses."),
        ("9" * 90_000, "Line 1 of the source: Exceeds the limit"),
        ("\ud800", "The source cannot be read: nested too deep, or no text."),
    ],
)
def test_what_cannot_go_into_a_file_is_told_with_its_line(source: str, expected: str) -> None:
    found = fault(source)
    assert found is not None
    assert found.startswith(expected)


@pytest.mark.parametrize(
    "source",
    [
        CLASS.replace("\n", "\r\n"),
        CLASS.replace("\n", "\r"),
        "# -*- coding: rot13 -*-\n" + CLASS,
        "\f" + CLASS,
        '"""Text \\d with \x0b and \u2028."""\n' + CLASS,
        "class Scale(nn.Module):\n\tpass",
    ],
)
def test_odd_text_that_python_takes_is_fine(source: str) -> None:
    assert fault(source) is None


def test_nothing_of_a_text_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n{CLASS}"
    assert fault(text) is None
    assert not mark.exists()


def test_two_texts_may_share_what_is_the_same() -> None:
    helper = "def half(x):\n    return x / 2\n"
    one = Written("One", f"import math\n{helper}class One: pass")
    other = Written("Other", f"import math as math\n{helper}# another remark\nclass Other: pass")
    assert collision(one, other) is None
    changed = Written(
        "Other", f"def half(x):\n    return x / 3\n{other.source}".replace(helper, "")
    )
    assert collision(one, changed) == "half"
    imports = [Written("A", f"import {module} as np\nclass A: pass") for module in ("numpy", "x")]
    assert collision(*imports) == "np"


LETTERS = st.text(st.sampled_from("class Scale:\n\t\r\f\\'\"#()[]{}=1 xif;@\0\ufeff"), max_size=60)


@given(LETTERS, st.booleans())
@example("x = 1 \\", True)
def test_what_is_taken_can_stand_in_the_middle_of_a_file(text: str, behind: bool) -> None:
    source = CLASS + text if behind else text + "\n" + CLASS
    if fault(source) is not None:
        return
    written = Written("Scale", source)
    file = "\n".join(("import a", "", "", *written.lines, "", "", "class Main: pass", ""))
    tree = ast.parse(file)
    assert isinstance(tree.body[-1], ast.ClassDef)
    inside = ast.parse(source.replace("\r\n", "\n").replace("\r", "\n")).body
    assert [ast.dump(part) for part in tree.body[1:-1]] == [ast.dump(part) for part in inside]
