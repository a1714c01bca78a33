"""The desk: the open documents, and opening, saving and closing them with the user."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from designer.files.refusal import Refusal
from designer.ui import filing
from designer.ui.actions import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from designer.core.editor import Editor
    from designer.ui.documents import OpenDocument
    from designer.ui.state import State


class Desk(QObject):
    """Open documents, one of them in front.

    `leaving` comes before another document is put in front and `shown` after it; `changed` when
    names, files or the list of documents have changed; `said` carries a sentence for the status.
    """

    leaving = Signal()
    shown = Signal()
    changed = Signal()
    said = Signal(str)

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self.window: QWidget | None = None
        """What questions stand in front of."""
        self.documents: list[OpenDocument] = []
        self.current: OpenDocument | None = None

    @property
    def editor(self) -> Editor | None:
        """The editor of the document in front."""
        return self.current.editor if self.current else None

    @property
    def place(self) -> int:
        """The index of the document in front; -1 where there is none."""
        return self.documents.index(self.current) if self.current else -1

    # Opening

    def new(self) -> None:
        """Open an empty document."""
        from designer.ui.documents import new_document

        self._add(new_document())

    def open(self, path: Path) -> bool:
        """Open a file, or go to it where it is open; tells why where it cannot be opened."""
        from designer.ui.documents import open_document

        known = next((d for d in self.documents if d.path and _same(d.path, path)), None)
        if known is not None:
            self.show(known)
            return True
        try:
            document = open_document(path)
        except Refusal as refusal:
            filing.tell(self.window, "Not opened", _reasons(refusal))
            return False
        self._state.add_recent(path)
        document.view = self._state.view_of(path)
        self._add(document)
        if document.notices:
            filing.tell(self.window, "Opened", "\n".join(map(str, document.notices)))
        return True

    def open_example(self, name: str) -> None:
        """Open a design of the gallery as a new document."""
        from designer.ui.documents import open_example

        self._add(open_example(name))

    def ask_and_open(self) -> None:
        """Let the user choose a file."""
        path = filing.ask_for_document(self.window, self._folder())
        if path is not None:
            self.open(path)

    def recent_choices(self) -> Sequence[Choice]:
        """Files opened or saved last, for a menu."""
        return [
            Choice(path.name, partial(self.open, path), str(path)) for path in self._state.recent
        ]

    def example_choices(self) -> Sequence[Choice]:
        """The designs of the gallery, for a menu."""
        from designer.ui.documents import example_title, examples

        return [
            Choice(example_title(name), partial(self.open_example, name)) for name in examples()
        ]

    def _add(self, document: OpenDocument) -> None:
        replaced = self.current if self.current is not None and self.current.untouched else None
        self.documents.append(document)
        self.show(document)
        if replaced is not None:
            self.documents.remove(replaced)
        self.changed.emit()

    # Going from one to another

    def show(self, document: OpenDocument) -> None:
        """Put a document in front."""
        if document is self.current:
            return
        if self.current is not None:
            self.leaving.emit()
        self.current = document
        self.shown.emit()

    def show_place(self, place: int) -> None:
        """Put the document of a tab in front."""
        if 0 <= place < len(self.documents):
            self.show(self.documents[place])

    def keep_view(self, view: dict[str, object]) -> None:
        """Remember what was in view in the document in front."""
        if self.current is None:
            return
        self.current.view = view
        if self.current.path is not None:
            self._state.remember_view(self.current.path, view)

    # Closing

    def close_place(self, place: int) -> None:
        """Close the document of a tab."""
        self.close(self.documents[place])

    def close_current(self) -> None:
        """Close the document in front."""
        if self.current is not None:
            self.close(self.current)

    def close(self, document: OpenDocument) -> bool:
        """Close a document, asking first where edits would be lost; False where it stays."""
        if not self.may_lose(document):
            return False
        place = self.documents.index(document)
        others = [other for other in self.documents if other is not document]
        if not others:
            self.new()
        elif document is self.current:
            self.show(others[min(place, len(others) - 1)])
        if document in self.documents:
            self.documents.remove(document)
        self.changed.emit()
        return True

    def may_lose(self, document: OpenDocument) -> bool:
        """Whether a document may go: its edits are saved, or the user does not want them."""
        if not document.editor.modified:
            return True
        self.show(document)
        answer = filing.ask_before_losing(self.window, document)
        return answer == "discard" or (answer == "save" and self.save())

    def may_lose_all(self) -> bool:
        """Ask for each document whose edits would be lost."""
        return all(self.may_lose(document) for document in list(self.documents))

    # Saving

    def save(self) -> bool:
        """Save the document in front; asks where, the first time."""
        if self.current is None:
            return False
        if self.current.path is None:
            return self.save_as()
        return self._save_to(self.current, self.current.path)

    def save_as(self) -> bool:
        """Save the document in front in a file that the user names."""
        if self.current is None:
            return False
        path = filing.ask_where_to_save(self.window, self.current, self._folder())
        return path is not None and self._save_to(self.current, path)

    def _save_to(self, document: OpenDocument, path: Path) -> bool:
        saved = filing.save(self.window, document, path)
        if saved:
            self._state.add_recent(path)
            self.said.emit(f"Saved in {path.name}.")
        self.changed.emit()
        return saved

    def export(self) -> None:
        """Write the PyTorch code of the design in front to a file that the user names."""
        if self.current is None:
            return
        path = filing.ask_where_to_export(self.window, self.current, self._folder())
        if path is not None and filing.export(self.window, self.current, path):
            self.said.emit(f"Exported to {path.name}.")

    def _folder(self) -> Path:
        """Where file dialogs begin."""
        if self.current is not None and self.current.path is not None:
            return self.current.path.parent
        recent = self._state.recent
        return recent[0].parent if recent and recent[0].parent.is_dir() else Path.home()


def _same(a: Path, b: Path) -> bool:
    return os.path.realpath(a) == os.path.realpath(b)


def _reasons(refusal: Refusal) -> str:
    return "\n".join(str(problem) for problem in refusal.problems[:12])
