"""Open documents and their files: what a tab stands for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from designer import resources
from designer.core.document import Dimension, Document
from designer.core.editor import Editor
from designer.files.codec import read_document, write_document
from designer.files.storage import Unconfirmed, read_stamped, save_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from designer.core.message import Message
    from designer.files.storage import Stamp

SUFFIX = ".netdraft"
UNTITLED = "Untitled"


@dataclass(eq=False)
class OpenDocument:
    """An open document: its editor, and the file it came from, if it has one.

    `stamp` says what the file was when it was read or saved; `view` what was last in view.
    """

    editor: Editor
    path: Path | None = None
    stamp: Stamp | None = None
    notices: tuple[Message, ...] = ()
    view: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the window calls it: its title, else its file's name."""
        title = self.editor.document.title.strip()
        return title or (self.path.stem if self.path else UNTITLED)

    @property
    def untouched(self) -> bool:
        """Whether it is a new document in which nothing was done: opening another replaces it."""
        return self.path is None and not self.editor.steps and not self.editor.document.graph.nodes

    def save(self, path: Path, *, over_read_only: bool = False, checked: bool = True) -> None:
        """Save to a file, which is the document's from then on.

        Raises Refusal and leaves file and document as they were: Changed where the file is not
        the one that was read, unless `checked` is False.
        """
        document = self.editor.document
        expected = self.stamp if checked and path == self.path else None
        try:
            stamp = save_file(
                path, write_document(document), expected, over_read_only=over_read_only
            )
        except Unconfirmed as told:
            self._saved(document, path, told.stamp)
            raise
        self._saved(document, path, stamp)

    def _saved(self, document: Document, path: Path, stamp: Stamp) -> None:
        self.path, self.stamp = path, stamp
        self.editor.mark_saved(document)


def new_document() -> OpenDocument:
    """An empty document, with the batch as its free dimension."""
    return OpenDocument(Editor(Document(dimensions={"B": Dimension("batch")})))


def open_document(path: Path) -> OpenDocument:
    """The document in a file; raises Refusal where it cannot be read."""
    data, stamp = read_stamped(path)
    loaded = read_document(data, str(path))
    return OpenDocument(Editor(loaded.document), path, stamp, loaded.notices)


def examples() -> list[str]:
    """The names of the documents in the gallery."""
    return sorted(path.stem for path in resources.path("gallery").glob(f"*{SUFFIX}"))


def example_path(name: str) -> Path:
    """The file of an example."""
    return resources.path("gallery", name + SUFFIX)


@cache
def example_title(name: str) -> str:
    """What an example calls itself, which needs no more of the file than its text."""
    title = json.loads(example_path(name).read_bytes()).get("title")
    return title if isinstance(title, str) and title else name


def open_example(name: str) -> OpenDocument:
    """An example as a new document without a file, so that saving asks where."""
    path = example_path(name)
    return OpenDocument(Editor(read_document(path.read_bytes(), str(path)).document))
