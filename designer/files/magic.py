"""What kind of file some bytes are, by how they begin."""

from __future__ import annotations

from designer.core.message import Message, message

ZIP = message("a zip archive, as .pt, .keras and .npz files are")
HDF5 = message("an HDF5 file, as .h5 weights are")
PICKLE = message("a Python pickle, which can hold code")
TAR = message("a tar archive")
SAFETENSORS = message("a safetensors file")
ONNX = message("an ONNX model")
IMAGE = message("a picture")
PROGRAM = message("a program")
COMPRESSED = message("a compressed file")
MARKUP = message("an XML or HTML file")

STARTS = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
    (b"\x89PNG\r\n\x1a\n", IMAGE),
    (b"\xff\xd8\xff", IMAGE),
    (b"GIF8", IMAGE),
    (b"%PDF-", message("a PDF file")),
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"#!", message("a script")),
    (b"\x1f\x8b", COMPRESSED),
    (b"BZh", COMPRESSED),
    (b"\xfd7zXZ\x00", COMPRESSED),
    (b"\x28\xb5\x2f\xfd", COMPRESSED),
    (b"7z\xbc\xaf\x27\x1c", COMPRESSED),
    (b"\x93NUMPY", message("a NumPy array")),
    (b"SQLite format 3\x00", message("an SQLite database")),
    (b"<?xml", MARKUP),
    (b"<!DOCTYPE", MARKUP),
    (b"<html", MARKUP),
    (b"<svg", MARKUP),
)
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
ONNX_FIELDS = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42")
JSON_STARTS = frozenset(b'{["\t\r\n ')


def file_type(data: bytes) -> Message | None:
    """The type of a file that is no JSON for certain, else None."""
    if data[257:262] == b"ustar":
        return TAR
    if _is_safetensors(data):
        return SAFETENSORS
    if _is_onnx(data):
        return ONNX
    return next((kind for start, kind in STARTS if data.startswith(start)), None)


def is_wide_text(data: bytes) -> bool:
    """Whether the bytes are JSON in UTF-16 or UTF-32, by their mark or their first zeros."""
    start = data[:4]
    zeros_between = 0 in start and any(byte in JSON_STARTS for byte in start)
    return data.startswith(WIDE_MARKS) or zeros_between


def _is_safetensors(data: bytes) -> bool:
    """A length of eight bytes, then the JSON header that it measures."""
    header = int.from_bytes(data[:8], "little")
    return data[8:9] == b"{" and header <= len(data) and 0 in data[:8]


def _is_onnx(data: bytes) -> bool:
    """The version of ONNX's format, then a text or number field: the start of its protobuf."""
    return len(data) > 2 and data[0] == 8 and 0 < data[1] < 32 and data[2] in ONNX_FIELDS
