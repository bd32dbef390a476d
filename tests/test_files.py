from __future__ import annotations

from pathlib import Path

import pytest

from matvae.files import move_into_place


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "content").write_text(text)
    return path


def test_a_result_gets_its_final_name(tmp_path):
    move_into_place(folder(tmp_path / ".new", "new"), tmp_path / "result")
    assert (tmp_path / "result" / "content").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_files_and_folders_are_replaced_without_residue(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / ".file").write_text("new")
    move_into_place(tmp_path / ".file", tmp_path / "file")
    folder(tmp_path / "folder", "old")
    move_into_place(folder(tmp_path / ".folder", "new"), tmp_path / "folder")
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "content").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_the_old_folder_is_restored_if_the_new_one_cannot_be_moved(tmp_path, monkeypatch, error):
    target, complete = folder(tmp_path / "result", "old"), folder(tmp_path / ".new", "new")
    rename = Path.rename

    def fail_for_the_new(self, to):
        if self == complete:
            raise error
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(error):
        move_into_place(complete, target)
    assert (target / "content").read_text() == "old"
    assert (complete / "content").read_text() == "new"
