"""Layers that are not in the catalogue: what is known of them without importing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.message import message

if TYPE_CHECKING:
    from designer.core.message import Message

OFFERED: dict[str, str] = {}
"""Kind to the installed package that offers it and is not enabled, as far as a file asked."""


def unknown_kind(kind: str) -> Message:
    """What there is to say of a kind that is not in the catalogue."""
    if kind not in OFFERED:
        return message("This version of Netdraft does not know the layer {kind}.", kind=kind)
    text = "{kind} is a layer of {package}: netdraft layers --enable {package}"
    return message(text, kind=kind, package=OFFERED[kind])
