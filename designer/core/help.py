"""The help of a layer: what its docstring says, as templates of a catalogue."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from designer.core.layer import Layer


def paragraphs(kind: type[Layer]) -> tuple[str, ...]:
    """The paragraphs of a layer's help, each in one line; the first is a sentence with a formula.

    At least one, which is empty where nobody wrote any.
    """
    text = inspect.cleandoc(kind.__doc__ or "")
    return tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
