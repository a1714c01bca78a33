"""Opening, saving and exporting with the user: file dialogs and the questions that go with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from designer.files.library import Kept, save_block
from designer.files.refusal import Refusal
from designer.files.storage import Changed, ReadOnly, Unconfirmed

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from designer.core.document import Document
    from designer.ui.documents import OpenDocument

DOCUMENTS = "Netdraft designs (*.netdraft)"
PYTHON = "Python files (*.py)"
SUFFIX = ".netdraft"

_Button = QMessageBox.StandardButton


def tell(window: QWidget | None, title: str, text: str) -> None:
    """Show a sentence that the user has to see, as plain text: it may hold names of theirs."""
    box = _box(window, QMessageBox.Icon.Warning, title, text)
    box.setStandardButtons(_Button.Ok)
    box.exec()


def _box(window: QWidget | None, icon: QMessageBox.Icon, title: str, text: str) -> QMessageBox:
    box = QMessageBox(icon, title, title, _Button.NoButton, window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(text)
    return box


def ask_for_document(window: QWidget | None, folder: Path) -> Path | None:
    """The design that the user wants to open."""
    name, _ = QFileDialog.getOpenFileName(window, "Open a design", str(folder), DOCUMENTS)
    return Path(name) if name else None


def ask_where_to_save(window: QWidget | None, document: OpenDocument, folder: Path) -> Path | None:
    """The file that a design is to be saved in."""
    suggested = document.path or folder / f"{file_name(document.name)}{SUFFIX}"
    name, _ = QFileDialog.getSaveFileName(window, "Save the design", str(suggested), DOCUMENTS)
    if not name:
        return None
    path = Path(name)
    return path if path.suffix else path.with_suffix(SUFFIX)


def ask_where_to_export(
    window: QWidget | None, document: OpenDocument, folder: Path
) -> Path | None:
    """The file that a design's code is to be written to; the dialog asks before replacing."""
    near = document.path.parent if document.path else folder
    suggested = near / "model.py"
    name, _ = QFileDialog.getSaveFileName(window, "Export PyTorch code", str(suggested), PYTHON)
    if not name:
        return None
    path = Path(name)
    return path if path.suffix else path.with_suffix(".py")


_UNFIT = dict.fromkeys(map(ord, '\\/:*?"<>|'), "-")


def file_name(name: str) -> str:
    """A title as the name of a file that every system takes."""
    plain = "".join(c for c in name.translate(_UNFIT) if c.isprintable()).strip(" .")
    return plain[:80] or "design"


def ask_before_losing(window: QWidget | None, document: OpenDocument) -> str:
    """What to do with edits that are not saved: `save`, `discard` or `cancel`."""
    text = "Its latest changes are not saved and would be lost."
    box = _box(window, QMessageBox.Icon.Question, f"Save {document.name}?", text)
    box.setStandardButtons(_Button.Save | _Button.Discard | _Button.Cancel)
    box.setDefaultButton(_Button.Save)
    answers = {int(_Button.Save): "save", int(_Button.Discard): "discard"}
    return answers.get(box.exec(), "cancel")


def save(window: QWidget | None, document: OpenDocument, path: Path) -> bool:
    """Save, asking where the file has changed or is read-only; False where it was not saved."""
    try:
        return _saved(window, document, path)
    except (Changed, ReadOnly) as refusal:
        if not _may_replace(window, path, refusal):
            return False
    return _saved(window, document, path, replacing=True)


def _saved(
    window: QWidget | None, document: OpenDocument, path: Path, *, replacing: bool = False
) -> bool:
    try:
        document.save(path, over_read_only=replacing, checked=not replacing)
    except (Changed, ReadOnly):
        if replacing:
            tell(window, "Not saved", f"{path} keeps changing while it is replaced.")
            return False
        raise
    except Unconfirmed as told:
        tell(window, "Saved, and not confirmed by the disk", str(told))
    except Refusal as refusal:
        tell(window, "Not saved", str(refusal))
        return False
    return True


def _may_replace(window: QWidget | None, path: Path, refusal: Refusal) -> bool:
    box = _box(window, QMessageBox.Icon.Question, f"Replace {path.name}?", str(refusal))
    replace = box.addButton("Replace it", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(_Button.Cancel))
    box.exec()
    return box.clickedButton() is replace


def keep_block(window: QWidget | None, document: Document, name: str) -> bool:
    """Save a block to the library, asking where another one has its name; False if it was not."""
    try:
        try:
            save_block(document, name)
        except Kept as refusal:
            if not _may_replace(window, Path(name), refusal):
                return False
            save_block(document, name, replacing=True)
    except Refusal as refusal:
        tell(window, "Not saved", str(refusal))
        return False
    return True


def export(window: QWidget | None, document: OpenDocument, path: Path) -> bool:
    """Write a design's code to a file that the user has named; False where it was not written."""
    from designer.export.pytorch import ExportError
    from designer.export.saving import Foreign
    from designer.ui.code import export_to

    try:
        try:
            export_to(path, document.editor, document.name)
        except Foreign as refusal:
            if not _may_replace(window, path, refusal):
                return False
            export_to(path, document.editor, document.name, replace=True)
    except (ExportError, Refusal) as error:
        tell(window, "Not exported", str(error))
        return False
    return True
