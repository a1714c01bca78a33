"""Typed fields of plain data, and the places that their refusals name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from designer.files import place
from designer.files.place import Place
from designer.files.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

NODE = {
    "id": "n3",
    "width": 3.0,
    "bias": True,
    "none": None,
    "long": "a" * 1001,
    "size": [3, -1, "x" * 80],
    "options": {"kernel size": 3},
}
HERE = Place("$.nodes[3]", "net.netdraft")


def test_fields_are_taken_with_their_types() -> None:
    assert place.text(NODE, "id", HERE) == "n3"
    assert place.integer(NODE["size"], 0, HERE.at("size"), min=3, max=3) == 3  # type: ignore[arg-type]
    assert place.number(NODE, "width", HERE) == 3.0
    assert place.number([7], 0, HERE) == 7
    assert place.boolean(NODE, "bias", HERE) is True
    assert place.sequence(NODE, "size", HERE, limit=3) == NODE["size"]
    assert place.mapping(NODE, "options", HERE) == {"kernel size": 3}
    assert place.text(NODE, "long", HERE, limit=1001) == NODE["long"]


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (lambda: place.integer(NODE, "width", HERE), "width: must be a whole number, is 3.0."),
        (lambda: place.integer(NODE, "bias", HERE), "bias: must be a whole number, is true."),
        (lambda: place.integer(NODE, "none", HERE), "none: must be a whole number, is null."),
        (lambda: place.integer(NODE, "id", HERE), 'id: must be a whole number, is the text "n3".'),
        (lambda: place.integer([-1], 0, HERE, min=0), "$.nodes[3][0]: must be at least 0."),
        (
            lambda: place.integer([2**63], 0, HERE, max=2**63 - 1),
            "at most 9,223,372,036,854,775,807.",
        ),
        (lambda: place.number(NODE, "bias", HERE), "bias: must be a number, is true."),
        (lambda: place.boolean([1], 0, HERE), "[0]: must be true or false, is 1."),
        (lambda: place.text(NODE, "size", HERE), "size: must be a text, is a list."),
        (
            lambda: place.text(NODE, "long", HERE),
            "long: 1,001 characters, at most 1,000 are allowed.",
        ),
        (lambda: place.mapping(NODE, "size", HERE), "size: must be an object, is a list."),
        (lambda: place.sequence(NODE, "options", HERE), "options: must be a list, is an object."),
        (lambda: place.sequence(NODE, "size", HERE, 2), "size: 3 items, at most 2 are allowed."),
        (lambda: place.text(NODE, "kind", HERE), "$.nodes[3].kind: is missing."),
        (lambda: place.integer([], 2, HERE), "$.nodes[3][2]: is missing."),
    ],
)
def test_refusal_names_the_place(take: Callable[[], object], expected: str) -> None:
    with pytest.raises(Refusal) as caught:
        take()
    assert str(caught.value).startswith("net.netdraft, $.nodes[3]")
    assert str(caught.value).endswith(expected)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("kernel_size", "$.kernel_size"),
        (12, "$[12]"),
        ("a b", '$["a b"]'),
        ("a\x1b\u202eb", '$["a\\u001b\\u202eb"]'),
        ("é", '$["é"]'),
        ("k" * 500, '$["' + "k" * 29 + "…" + "k" * 30 + '"]'),
        ("\U0001f3fb\U000e0001", '$["\U0001f3fb\\U000e0001"]'),
    ],
)
def test_path_of_a_key(key: str | int, path: str) -> None:
    assert Place().at(key).path == path
