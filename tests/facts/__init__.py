"""Facts read off real implementations, as JSON that says where each is from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
FILES = ("models.json", "networks.json", "vision.json", "language.json")


class Row(NamedTuple):
    """One row of a state dict; `owner` is the name whose tensor it shares, if it is tied."""

    name: str
    shape: tuple[int, ...]
    owner: str | None = None


def model(id: str) -> dict[str, Any]:
    """The record of a real model."""
    texts = ((FOLDER / name).read_text(encoding="utf-8") for name in FILES)
    models = (record for text in texts for record in json.loads(text)["models"])
    (found,) = (record for record in models if record["id"] == id)
    assert isinstance(found, dict)
    return found


def state(id: str) -> list[Row]:
    """The rows of a real model's state dict, in its order."""
    return [_row(name, shape, *tie) for name, shape, *tie in _unfolded(model(id)["state"])]


def block(id: str, prefix: str) -> list[Row]:
    """The rows of a block of a real model: those whose names begin with `prefix`."""
    models = json.loads((FOLDER / "blocks.json").read_text(encoding="utf-8"))["models"]
    (found,) = (record for record in models if record["id"] == id)
    rows = (Row(name, tuple(shape)) for name, shape, *_ in found["state"])
    return [row for row in rows if row.name.startswith(prefix)]


def _row(name: str, shape: list[int], tie: str = "") -> Row:
    return Row(name, tuple(shape), tie.removeprefix("t:") or None)


def _unfolded(rows: list[Any]) -> list[Any]:
    """The rows with `{"r": "h.{0..11}", "rows": [...]}` written out."""
    every: list[Any] = []
    for row in rows:
        if isinstance(row, dict):
            first, last = map(int, re.findall(r"\d+", row["r"])[-2:])
            stem = row["r"].partition("{")[0]
            inner = _unfolded(row["rows"])
            every += [
                [f"{stem}{n}.{name}", *rest]
                for n in range(first, last + 1)
                for name, *rest in inner
            ]
        else:
            every.append(row)
    return every
