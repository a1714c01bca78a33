"""Opening and saving, beside the standard library's json alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from designer.core.analysis import Analysis
from designer.files.codec import read_document, write_document
from tests.bench.counting import large
from tests.bench.measure import Figure, medians

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def f1() -> Iterator[Figure]:
    """10,000 nodes opened to shapes, and saved, in memory and without a window."""
    document = large(10_000)
    data = write_document(document)
    plain = json.loads(data)

    def opened() -> None:
        Analysis(read_document(data, "file").document)

    read, shown, loads, wrote, dumps = medians(
        7,
        lambda: read_document(data, "file"),
        opened,
        lambda: json.loads(data),
        lambda: write_document(document),
        lambda: json.dumps(plain, separators=(",", ":")).encode(),
    )
    beside = f"{shown:.0f} ms, json.loads {loads:.0f} ms; document alone {read:.0f} ms"
    yield Figure("open to shapes, to json.loads", shown / loads, 8, "×", beside=beside)
    beside = f"{wrote:.0f} ms, json.dumps {dumps:.0f} ms"
    yield Figure("write, to a compact json.dumps", wrote / dumps, 3, "×", beside=beside)


TABLE: dict[str, Callable[[], Iterator[Figure]]] = {"F1": f1}
