"""The search finds what people type, best first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.ui.fuzzy import match

NAMES = ("Conv2d", "ConvTranspose2d", "Conv1d", "BatchNorm2d", "Linear", "LayerNorm", "MaxPool2d")


def best(query: str, names: tuple[str, ...] = NAMES) -> str:
    found = {name: hit for name in names if (hit := match(query, name))}
    return max(found, key=lambda name: found[name].score)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("conv", "Conv2d"),
        ("cnv1", "Conv1d"),
        ("ct", "ConvTranspose2d"),
        ("ln", "LayerNorm"),
        ("bn", "BatchNorm2d"),
        ("lin", "Linear"),
        ("pool", "MaxPool2d"),
        ("transpose conv", "ConvTranspose2d"),
    ],
)
def test_the_intended_name_comes_first(query: str, wanted: str) -> None:
    assert best(query) == wanted


def test_letters_are_marked_where_they_are_found() -> None:
    found = match("tr con", "ConvTranspose2d")
    assert found is not None
    assert found.letters == (0, 1, 2, 4, 5)


def test_every_word_has_to_be_found() -> None:
    assert match("conv x", "Conv2d") is None
    assert match("vnoc", "Conv2d") is None


def test_an_empty_query_finds_all_alike() -> None:
    assert match("  ", "Linear") == match("", "Linear")
    assert match("", "Linear") is not None


def test_a_name_in_another_script() -> None:
    found = match("全连", "全连接")
    assert found is not None
    assert found.letters == (0, 1)


@given(st.text(max_size=12), st.text(max_size=20))
def test_letters_found_are_those_of_the_query(query: str, text: str) -> None:
    found = match(query, text)
    if found is not None:
        typed = set(query.lower())
        assert all(text[i].lower() in typed for i in found.letters)


@given(st.text(st.characters(codec="ascii"), max_size=20), st.data())
def test_every_part_of_a_name_finds_it(text: str, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    query = "".join(letter for letter, keep in zip(text, kept, strict=True) if keep)
    assert match(query, text) is not None
