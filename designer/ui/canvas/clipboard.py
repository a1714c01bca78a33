"""Parts of a design as the text that the clipboard holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from designer.files.codec import FORMAT, read_document, write_document

if TYPE_CHECKING:
    from designer.core.document import Document

_WHERE = "the clipboard"
_HEAD = 200


def to_text(part: Document) -> str:
    """A part of a design as text; it is a design like any other."""
    return write_document(part).decode()


def is_part(text: str) -> bool:
    """Whether a text looks like one; reading it may still be refused."""
    head = text[:_HEAD].lstrip()
    return head.startswith("{") and f'"format": {json.dumps(FORMAT)}' in head


def from_text(text: str) -> Document:
    """The part of a design in a text. Raises Refusal."""
    return read_document(text.encode("utf-8", "replace"), _WHERE).document
