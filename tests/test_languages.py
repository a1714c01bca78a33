"""All that a user reads exists in every language: nothing missing, stale, cut short or garbled."""

from __future__ import annotations

import json
import re
from collections import Counter
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

import designer.layers  # noqa: F401  (fills the catalogue)
from designer import languages, resources
from designer.core.help import paragraphs
from designer.core.layer import CATALOGUE, FAMILIES, Inputs, Layer, examine
from designer.core.message import Message, message
from designer.languages import chosen, known, read
from tests.layers.test_catalogue import uses
from tests.sentences import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = resources.path("translations", "zh_CN")
FILES = sorted(FOLDER.glob("*.json"))
SOURCES = Sources()

SAME_IN_CHINESE = {"{value}"}
"""Templates without words."""

MATHS = frozenset("=→≤≥≠∧∨¬√Σ∑∏∫·⊙‖½²ᵀ⌊⌋⌈⌉×÷±σΦπθλαβγδεΔωₜᵢⱼₖₙ₀₁₂ˣᵖᐟ^+*/|[]")
ENGLISH = re.compile(r"\b(the|and|with|without|must|needs|expects|takes|is|are|of|not|or|no)\b")
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def classes(kind: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """The layer classes that have a title, of the package and of tests."""
    for sub in kind.__subclasses__():
        own = vars(sub)
        # Kinds with a colon are made of documents, whose words are their own.
        if {"kind", "title"} <= own.keys() and ":" not in own["kind"]:
            yield sub
        yield from classes(sub)


def ours() -> list[type[Layer]]:
    """The layers of the catalogue that the package itself brings."""
    return [kind for kind in CATALOGUE.values() if kind.__module__.startswith("designer.layers")]


def needed() -> set[str]:
    """Every template that somebody may read."""
    texts = {text for text in SOURCES.templates if text}
    texts |= {paragraph for kind in ours() for paragraph in paragraphs(kind)}
    texts |= {option.help for kind in ours() for option in kind.declared}
    texts |= {kind.title for kind in (*ours(), *classes()) if _is_titled(kind)}
    return texts | set(FAMILIES.values())


def _is_titled(kind: type[Layer]) -> bool:
    return kind.__module__.startswith("designer.") and kind.title != kind.kind


NEEDED = needed()
CHINESE_TEXTS = languages.catalogue("zh_CN")
PAIRS = sorted((text, CHINESE_TEXTS[text]) for text in NEEDED & CHINESE_TEXTS.keys())


def placeholders(text: str) -> list[tuple[str, str]]:
    """The names that a template leaves open, with their formats."""
    parts = Formatter().parse(text)
    return sorted((name, form or "") for _, name, form, _ in parts if name is not None)


# The catalogue against the code


def test_no_template_is_made_at_run_time() -> None:
    assert SOURCES.untold == []
    assert len(SOURCES.templates) > 400


SOURCE = """
from designer.core.message import message

NUMBER = "a number"
TABLE = {"one": "from a table", "two": "from its second row"}


def plain(count):
    text = "handed on"
    if count > 1:
        text = "in a branch"
    yield message(text), message("a" if count else "b", count=count), message(NUMBER)
    yield message(TABLE[count]), message("{a} " + "and {b}"), message(f"put {NUMBER} in")
    for text in count:
        yield text


def handing(count):
    yield given("from a caller"), given(template="by name")


def given(template="by default"):
    return message(template)


class Layer:
    note = "of a class"

    def rule(self, name):
        yield self.refuse("{layer} refuses."), message(self.note), message(f"{name} is {self}.")
"""


def test_templates_are_found_where_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(SOURCE, encoding="utf-8")
    found = Sources(tmp_path)
    assert sorted(found.templates) == sorted(
        [
            *("handed on", "in a branch", "a", "b", "a number", "from a table"),
            *("from its second row", "{a} and {b}", "put a number in", "from a caller"),
            *("by name", "by default", "{layer} refuses.", "of a class"),
        ]
    )
    (untold,) = found.untold
    assert "def rule(self, name)" in untold


def test_everything_is_translated_and_nothing_else() -> None:
    assert sorted(NEEDED - CHINESE_TEXTS.keys()) == [], "not translated yet"
    assert sorted(CHINESE_TEXTS.keys() - NEEDED) == [], "no longer in the code"


def test_names_of_values_stay_with_their_formats() -> None:
    lost = [
        (a, b) for a, b in PAIRS if a in SOURCES.templates and placeholders(a) != placeholders(b)
    ]
    assert lost == []


def test_translations_are_chinese() -> None:
    same = {a for a, b in PAIRS if a == b or not CHINESE.search(b)}
    assert same == SAME_IN_CHINESE
    assert [b for _, b in PAIRS if b != b.strip() or not b] == []
    # A word that stayed English by mistake; option names are no such words.
    assert [b for _, b in PAIRS if ENGLISH.search(b)] == []


def test_sentences_end_as_sentences() -> None:
    ends = [(a, b) for a, b in PAIRS if a.endswith(".") != b.endswith("。")]
    assert ends == []
    assert [b for _, b in PAIRS if re.search(r"[\u4e00-\u9fff][,;:?!]", b)] == [], "western signs"


def test_formulas_keep_their_signs() -> None:
    lost = {}
    for kind in ours():
        for text in paragraphs(kind):
            gone = signs(text) - signs(CHINESE_TEXTS.get(text, text))
            if gone:
                lost[kind.kind] = gone
    assert lost == {}


def signs(text: str) -> Counter[str]:
    """The signs of mathematics in a text, and how often each stands there."""
    return Counter(sign for sign in text if sign in MATHS)


# The files


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_has_one_entry_a_line_in_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pairs: list[tuple[str, str]] = json.loads(text, object_pairs_hook=list)
    assert [key for key, _ in pairs] == sorted({key for key, _ in pairs})
    assert len(text.splitlines()) == len(pairs) + 2
    assert text == json.dumps(dict(pairs), ensure_ascii=False, indent=2) + "\n"


def test_no_template_stands_in_two_files() -> None:
    keys = Counter(key for path in FILES for key in json.loads(path.read_text(encoding="utf-8")))
    assert [key for key, times in keys.items() if times > 1] == []


# Rendering


def sample(form: str, name: str) -> Any:
    """A value that fits a format."""
    return 1_234_567 if "," in form or form else f"<{name}>"


@pytest.mark.parametrize("language", languages.languages())
def test_every_template_renders_with_all_its_values(language: str) -> None:
    catalogue = languages.catalogue(language)
    for text in SOURCES.templates:
        values = {name: sample(form, name) for name, form in placeholders(text)}
        rendered = Message(text, tuple(values.items())).render(catalogue)
        for name, form in placeholders(text):
            assert format(values[name], form) in rendered, text


@settings(max_examples=200)
@given(uses())
def test_what_layers_say_of_any_use_is_chinese(use: tuple[Layer, Inputs]) -> None:
    for remark in examine(*use).remarks:
        sentence = remark.message.render(CHINESE_TEXTS)
        assert sentence.endswith("。"), sentence
        assert CHINESE.search(sentence[:-1]), sentence
        assert not ENGLISH.search(sentence), sentence


def test_messages_within_messages_are_translated_too() -> None:
    wanted = message("one of {choices}", choices="none, tanh")
    text = message("{option} takes {wanted}, got {got}.", option="mode", wanted=wanted, got="x")
    assert text.render(CHINESE_TEXTS) == "mode 的值应为以下之一：none, tanh，实际为 x。"
    assert str(text) == "mode takes one of none, tanh, got x."


# Choosing and loading


def test_the_languages_name_themselves() -> None:
    assert languages.languages() == {"en": "English", "zh_CN": "简体中文"}
    assert FILES
    assert {path.parent.name for path in FILES} == languages.languages().keys() - {"en"}


@pytest.mark.parametrize(
    ("name", "language"),
    [
        *(("zh_CN", "zh_CN"), ("zh_CN.UTF-8", "zh_CN"), ("zh", "zh_CN"), ("zh-Hans-CN", "zh_CN")),
        *(("zh_SG.utf8", "zh_CN"), ("ZH_cn@x", "zh_CN"), ("en", "en"), ("en_GB.UTF-8", "en")),
        *(("C", "en"), ("C.UTF-8", "en"), ("POSIX", "en")),
        *(("zh_TW.UTF-8", None), ("zh_Hant", None), ("de_DE", None), ("", None)),
    ],
)
def test_languages_are_known_by_the_names_of_systems(name: str, language: str | None) -> None:
    assert known(name) == language
    assert chosen(None, {"LANG": name}) == (language or "en")


def test_the_first_that_says_a_language_decides() -> None:
    environment = {
        "LANG": "zh_CN.UTF-8",
        "LC_MESSAGES": "en_US.UTF-8",
        "LC_ALL": "zh_CN",
        "NETDRAFT_LANGUAGE": "en",
    }
    assert chosen("zh_CN", environment) == "zh_CN"
    expected = {"NETDRAFT_LANGUAGE": "en", "LC_ALL": "zh_CN", "LC_MESSAGES": "en", "LANG": "zh_CN"}
    for variable, language in expected.items():
        assert chosen(None, environment) == language
        environment[variable] = ""
    assert chosen(None, environment) == "en"
    assert chosen("xx", {"LANG": "zh_CN"}) == "en"


def test_a_language_is_read_once_and_an_unknown_one_is_english() -> None:
    assert languages.catalogue("zh_CN") is languages.catalogue("zh_CN")
    assert languages.loaded("zh_CN").problems == ()
    for language in ("en", "xx", "../zh_CN"):
        assert languages.catalogue(language) == {}


@pytest.mark.parametrize(
    "content", [b"", b'{"a": ', b"\xff\xfe\x00", b'["a"]', b'{"a": 1}', b"[" * 100_000]
)
def test_a_broken_file_leaves_out_its_part_and_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.json").write_bytes(content)
    (tmp_path / "whole.json").write_text('{"Merge": "合并"}', encoding="utf-8")
    catalogue, problems = read(tmp_path)
    assert catalogue == {"Merge": "合并"}
    assert [str(problem).partition(" cannot")[0] for problem in problems] == [
        f"The translations in {tmp_path / 'broken.json'}"
    ]


def test_no_files_at_all_is_told(tmp_path: Path) -> None:
    catalogue, problems = read(tmp_path)
    assert catalogue == {}
    assert [str(problem) for problem in problems] == [f"There are no translations in {tmp_path}."]
