"""The library of blocks: saved with all that they need, never overwritten unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from designer.core.block_edits import set_note
from designer.core.document import Document, drafted
from designer.core.fragment import put_in
from designer.files import library as files
from designer.files.codec import read_document
from designer.files.library import Kept, library, library_path, load_block, remove, save_block
from designer.files.refusal import Refusal
from tests.core.drawing import Drawing
from tests.files.test_blocks import drawn

if TYPE_CHECKING:
    from pathlib import Path


def test_a_block_is_saved_with_the_blocks_that_it_needs(tmp_path: Path) -> None:
    document = drawn()
    path = save_block(document, "Layer", tmp_path / "new" / "blocks")
    saved = read_document(path.read_bytes(), "x").document
    assert list(saved.blocks) == ["Mlp", "Layer"]
    assert not saved.graph.nodes
    assert not saved.variables
    assert not saved.presets
    assert list(
        read_document(save_block(document, "Mlp", tmp_path).read_bytes(), "x").document.blocks
    ) == ["Mlp"]


def test_entries_tell_name_note_arguments_and_ports(tmp_path: Path) -> None:
    document, _ = drafted(drawn(), set_note("Mlp", "Two affine maps."))
    save_block(document, "Mlp", tmp_path)
    save_block(document, "Layer", tmp_path)
    layer, mlp = library(tmp_path)
    assert (layer.name, layer.note, layer.path) == ("Layer", "", tmp_path / "Layer.netdraft")
    assert (mlp.name, mlp.note) == ("Mlp", "Two affine maps.")
    assert (mlp.arguments, mlp.inputs, mlp.outputs) == (("d_model",), ("x",), ("out",))
    assert mlp.problem is None


def test_a_loaded_block_goes_into_another_design(tmp_path: Path) -> None:
    path = save_block(drawn(), "Layer", tmp_path)
    target = Drawing()
    x = target.input("B", 8)
    target.do(put_in(load_block(path), 40, 50))
    use = max(target.editor.document.graph.nodes)
    target.wire(x, use)
    assert target.editor.document.layout[use] == (40.0, 50.0)
    assert list(target.editor.document.blocks) == ["Mlp", "Layer"]
    assert target.parameters == 8 * 32 + 32 + 32 * 8 + 8
    again, _ = drafted(target.editor.document, put_in(load_block(path), 0, 0))
    assert again.blocks == target.editor.document.blocks


def test_another_block_of_a_name_is_not_overwritten_unasked(tmp_path: Path) -> None:
    document = drawn()
    path = save_block(document, "Mlp", tmp_path)
    before = path.read_bytes()
    assert save_block(document, "Mlp", tmp_path) == path
    other, _ = drafted(document, set_note("Mlp", "Another one."))
    with pytest.raises(Kept, match="another block Mlp is in your library"):
        save_block(other, "Mlp", tmp_path)
    assert path.read_bytes() == before
    save_block(other, "Mlp", tmp_path, replacing=True)
    assert library(tmp_path)[0].note == "Another one."


def test_damaged_files_are_listed_with_the_reason(tmp_path: Path) -> None:
    save_block(drawn(), "Mlp", tmp_path)
    (tmp_path / "Cut.netdraft").write_bytes(b'{"format": "netdraft", ')
    (tmp_path / "Empty.netdraft").write_text('{"format": "netdraft", "version": 1}')
    (tmp_path / "Folder.netdraft").mkdir()
    (tmp_path / "notes.txt").write_text("no block")
    cut, empty, folder, mlp = library(tmp_path)
    assert "the file ends here, in the middle of the document" in str(cut.problem)
    assert "$.title: is not the name of a block in this file" in str(empty.problem)
    assert "this is a folder" in str(folder.problem)
    assert [entry.name for entry in (cut, empty, folder, mlp)] == ["Cut", "Empty", "Folder", "Mlp"]
    assert mlp.problem is None
    with pytest.raises(Refusal, match="not the name of a block"):
        load_block(empty.path)


def test_removed_blocks_are_gone(tmp_path: Path) -> None:
    path = save_block(drawn(), "Mlp", tmp_path)
    remove(path)
    assert library(tmp_path) == []
    with pytest.raises(Refusal, match="not removed"):
        remove(path)


def test_a_library_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert library(tmp_path / "none") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="the folder cannot be read"):
        library(tmp_path / "file")
    with pytest.raises(Refusal, match="the folder cannot be made"):
        save_block(drawn(), "Mlp", tmp_path / "file")


def test_the_library_is_in_the_folder_for_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "user_data_path", lambda name, appauthor: tmp_path / name)
    assert library_path() == tmp_path / "netdraft" / "blocks"
    save_block(drawn(), "Mlp")
    assert [entry.path.parent for entry in library()] == [library_path()]


def test_a_block_that_is_not_there_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        save_block(Document(), "Mlp", tmp_path)
    assert list(tmp_path.iterdir()) == []
