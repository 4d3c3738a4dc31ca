import pytest

from kerashw.files import TEMPORARY_PREFIX, atomic_write, remove_temporary_folders


def test_after_an_error_only_the_old_file_remains(tmp_path):
    (tmp_path / "note.txt").write_text("old")
    with pytest.raises(RuntimeError), atomic_write(tmp_path / "note.txt") as path:
        path.write_text("half of the n")
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
    assert (tmp_path / "note.txt").read_text() == "old"


def test_readers_see_the_old_file_until_the_new_one_is_complete(tmp_path):
    (tmp_path / "note.txt").write_text("old")
    with atomic_write(tmp_path / "note.txt") as path:
        path.write_text("new")
        assert (tmp_path / "note.txt").read_text() == "old"
    assert (tmp_path / "note.txt").read_text() == "new"


def test_only_the_temporary_folders_of_killed_processes_are_removed(tmp_path):
    (tmp_path / f"{TEMPORARY_PREFIX}abc").mkdir()
    (tmp_path / f"{TEMPORARY_PREFIX}abc" / "half").touch()
    (tmp_path / "kept").touch()
    remove_temporary_folders(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
