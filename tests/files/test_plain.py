"""Strict reading of JSON and writing of JSON that diffs well."""

from __future__ import annotations

import json
import math
import pickle
import zipfile
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from designer.files.limits import FILE_BYTES, NESTING
from designer.files.limits import VALUES as MOST_VALUES
from designer.files.plain import Rows, read_plain, write_plain
from designer.files.refusal import Refusal

CONTROLS = "".join(map(chr, range(32)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**90), 10**90)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(TEXTS, inner, max_size=8),
    max_leaves=40,
)
DOCUMENT = {
    "format": "x",
    "version": 1,
    "nodes": [{"id": "n1", "options": {"kernel_size": [3, 3], "name": 'a\\"[{é'}}, {"id": "n2"}],
    "layout": {"n1": [0.5, -3e-7], "n2": [1, True, None]},
}


def refused(data: bytes) -> str:
    """The sentence of the refusal."""
    with pytest.raises(Refusal) as caught:
        read_plain(data, "net.netdraft")
    sentence = str(caught.value)
    assert sentence.startswith("net.netdraft")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "net.netdraft: the file is empty (0 bytes)."),
        (b"\0" * 900, "only zeros or blanks; it looks like a save cut short by a power loss."),
        (b" \n" * 900, "only zeros or blanks; it looks like a save cut short by a power loss."),
        (b'{"a": 1,\n' + b"\0" * 90, "line 2, column 1: only zeros from here on; it looks like"),
        (b'{"a": 1} {"b": 2}', "line 1, column 10: the document has ended, but more follows."),
        (b'{"a": 1}x', "line 1, column 9: the document has ended, but more follows."),
        (b'{"a": [1, 2', "line 1, column 12: the file ends here, in the middle of the document."),
        (b'{"a": "tex', "line 1, column 7: this text has no closing quotation mark."),
        (b'{"a": 1,}', "column 9: a name in double quotes is expected here."),
        (b'{"a" 1}', "line 1, column 6: a colon is expected here."),
        (b'{\n"a": [1 2]}', "line 2, column 9: a comma or a closing bracket is expected here."),
        (b'{"a": }', "line 1, column 7: a value is expected here."),
        (b"{a: 1}", "line 1, column 2: a name in double quotes is expected here."),
        (b'{"a": "\\q"}', "line 1, column 8: this escape is none that JSON knows."),
        (b'{"a": "\x01"}', "line 1, column 8: a text holds a control character here."),
        (b'{"a": "\0"}', "line 1, column 8: a text holds a control character here."),
        (b'{"a": "\\u0000"}', "line 1, column 8: \\u0000 is a control character."),
        (b'{"a": "\\\\\\\\u001F\\\\\\\\\\\\b\\u001f"}', "line 1, column 24: \\u001f is a control"),
        (b'{"a": "\\\\\\u001F"}', "line 1, column 10: \\u001F is a control character."),
        (b'{"a": "\\b"}', "line 1, column 8: \\b is a control character."),
        (b'{"a": "\\ud800"}', "line 1, column 8: \\ud800 is half a character."),
        (b'{"a": "\\udc00\\ud800"}', "line 1, column 8: \\udc00 is half a character."),
        (b'{"a": "\\ud83d\\ude00\\ude00"}', "column 20: \\ude00 is half a character."),
        (b'{"a": "ok \xff"}', "net.netdraft, byte 10: the byte 0xff is no UTF-8 text."),
        (b'\xef\xbb\xbf{"a": "\xc3("}', "net.netdraft, byte 10: the byte 0xc3 is no UTF-8 text."),
        (b'{"a": [1, NaN]}', "net.netdraft, $.a[1]: NaN is no number of JSON."),
        (b'{"a": {"b": -Infinity}}', "$.a.b: -Infinity is no number of JSON."),
        (b'{"a": {"x y": 1e999}}', '$.a["x y"]: 1e999 is too large.'),
        (b'{"a": ' + b"7" * 5000 + b"}", "$.a: a number of 5,000 characters."),
        (b'{"a": 0.' + b"7" * 5000 + b"}", "$.a: a number of 5,002 characters."),
        (b'{"n": [{"a": 1, "b": 2, "a": 3}]}', '$.n[0]: the key "a" stands here twice.'),
        (b'{"a": {"b": NaN}, "a": 1}', 'net.netdraft, $: the key "a" stands here twice.'),
        (b'{"__init__": 1, "__init__": 1}', 'the key "__init__" stands here twice.'),
        (b'"\\u202eabc": 1', "the document has ended, but more follows."),
        (b'{"\\u202ea": 1, "\\u202ea": 1}', 'the key "\\u202ea" stands here twice.'),
        (b"nul", "line 1, column 1: a value is expected here."),
    ],
)
def test_refusal_names_place_and_reason(data: bytes, expected: str) -> None:
    assert expected in refused(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_wide_text_is_refused(encoding: str) -> None:
    data = json.dumps(DOCUMENT).encode(encoding)
    assert "UTF-16 or UTF-32 text; UTF-8 is expected." in refused(data)


def test_other_files_are_named() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("config.json", "{}")
    header = b'{"__metadata__": {}}'
    files = {
        archive.getvalue(): "a zip archive, as .pt",
        pickle.dumps({"a": 1}): "a Python pickle, which can hold code",
        b"\x89PNG\r\n\x1a\n....": "a picture",
        b"\x7fELF\x02\x01\x01": "a program",
        b"\x1f\x8b\x08\x00": "a compressed file",
        b"\x89HDF\r\n\x1a\n\0\0": "an HDF5 file",
        b"<?xml version='1.0'?>": "an XML or HTML file",
        b"#!/bin/sh\n": "a script",
        len(header).to_bytes(8, "little") + header: "a safetensors file",
        b"\x08\x07\x12\x07pytorch": "an ONNX model",
        b"name".ljust(257, b"\0") + b"ustar\0": "a tar archive",
    }
    for data, kind in files.items():
        assert f"net.netdraft: this is {kind}" in refused(data)


def test_every_truncation_is_refused() -> None:
    data = write_plain(DOCUMENT)
    assert read_plain(data[:-1], "x") == DOCUMENT
    for length in range(len(data) - 1):
        refused(data[:length])


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_depth_is_limited_before_parsing(bracket: bytes) -> None:
    assert f"nested deeper than {NESTING} levels." in refused(bracket * 100_000)
    deep = b'["[[", ' + bracket * NESTING
    column = len(deep) - len(bracket) + 1
    assert f"line 1, column {column}: nested deeper" in refused(deep)


def test_depth_up_to_the_limit_is_read() -> None:
    closed = b"[" * NESTING + b"]" * NESTING
    assert json.dumps(read_plain(closed, "x")).encode() == closed
    refused(b"[" + closed + b"]")


@pytest.mark.parametrize("text", ['"' + "[" * 100 + '"', '"\\"' + "{" * 100 + '"', '"\\\\", "["'])
def test_brackets_in_texts_do_not_nest(text: str) -> None:
    data = f"[{text}]"
    assert read_plain(data.encode(), "x") == json.loads(data)


def test_number_of_values_is_limited() -> None:
    assert f"more than {MOST_VALUES:,} values." in refused(b"[" + b"[]," * MOST_VALUES + b"[]]")
    assert f"more than {MOST_VALUES:,} values." in refused(b"[" + b"1," * MOST_VALUES + b"1]")
    assert read_plain(b'["' + b"[,]" * MOST_VALUES + b'"]', "x") == ["[,]" * MOST_VALUES]


def test_size_is_limited() -> None:
    assert "more than 67,108,864 bytes." in refused(b'"' + b"a" * FILE_BYTES + b'"')


def test_byte_order_mark_is_dropped() -> None:
    assert read_plain(b'\xef\xbb\xbf{"a": "\xc3\xa9"}', "x") == {"a": "é"}


def test_names_of_python_are_plain_data() -> None:
    data = {"__proto__": 1, "__class__": {"__init__": "os.system"}, "__reduce__": []}
    assert read_plain(write_plain(data), "x") == data


@pytest.mark.parametrize(
    "text",
    ["-0.0", "1e16", "0.1", "5e-324", "1.7976931348623157e308", "9223372036854775808", "3.0"],
)
def test_numbers_survive_exactly(text: str) -> None:
    value = read_plain(text.encode(), "x")
    again = read_plain(write_plain(value), "x")
    assert (type(again), repr(again)) == (type(value), repr(value))
    assert repr(value) == repr(json.loads(text))


@given(VALUES)
@example({"\U0001f600 \U0001d4bd\u2028": ["\ud7ff\ue000", "a\tb\r\nc", "\x7f\x85"]})
@settings(max_examples=150)
def test_written_data_reads_back(value: object) -> None:
    data = write_plain(value)
    assert repr(read_plain(data, "x")) == repr(value)
    assert write_plain(read_plain(data, "x")) == data
    assert json.loads(data) == value
    assert b"\r" not in data
    assert data.endswith(b"\n")


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = read_plain(data, "x")
    except Refusal:
        refused(data)
    else:
        assert repr(value) == repr(json.loads(data.decode("utf-8-sig")))


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf],
        {"a": -math.inf},
        {1: 2},
        {None: 2},
        {"a": {1}},
        b"bytes",
        "\ud800",
        ["a\0b"],
        {"\x1b": 1},
        10**1001,
        [object()],
    ],
)
def test_what_is_no_plain_data_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        write_plain(value)


def test_depth_is_limited_in_writing_too() -> None:
    value: object = 1
    for _ in range(NESTING):
        value = [value]
    assert read_plain(write_plain(value), "x") == value
    with pytest.raises(TypeError, match="nested deeper"):
        write_plain({"a": value})


def test_what_fits_stands_on_one_line() -> None:
    wide = {"out_channels": 32, "kernel_size": [3, 3], "padding_mode": "zeros", "in_channels": None}
    data = {
        "nodes": [
            {"id": "n1", "kind": "ReLU", "options": {"inplace": False}},
            {"id": "n2", "kind": "Conv2d", "name": "the first convolution", "options": wide},
        ],
        "edges": Rows([["n1", "n2"]]),
        "layout": Rows({"n1": [1, 2]}),
        "empty": [Rows([]), {}],
    }
    assert write_plain(data).decode() == (
        "{\n"
        '  "nodes": [\n'
        '    {"id": "n1", "kind": "ReLU", "options": {"inplace": false}},\n'
        "    {\n"
        '      "id": "n2",\n'
        '      "kind": "Conv2d",\n'
        '      "name": "the first convolution",\n'
        '      "options": {\n'
        '        "out_channels": 32,\n'
        '        "kernel_size": [3, 3],\n'
        '        "padding_mode": "zeros",\n'
        '        "in_channels": null\n'
        "      }\n"
        "    }\n"
        "  ],\n"
        '  "edges": [\n'
        '    ["n1", "n2"]\n'
        "  ],\n"
        '  "layout": {\n'
        '    "n1": [1, 2]\n'
        "  },\n"
        '  "empty": [[], {}]\n'
        "}\n"
    )


@given(st.lists(st.integers(0, 10**30) | TEXTS, min_size=1, max_size=12))
def test_one_line_is_at_most_100_wide(values: list[int | str]) -> None:
    lines = write_plain(Rows({"values": values, "next": 1})).decode().split("\n")
    one_line = f'  "values": {json.dumps(values, ensure_ascii=False)},'
    assert (one_line in lines) == (len(one_line) <= 100)
