import errno

import pytest

from kerashw.files import TEMPORARY_PREFIX, atomic_write, lock_folder, remove_temporary_folders
from tests.places import as_other_user


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


@pytest.mark.parametrize("filename", [None, "the temporary file"])
def test_an_error_names_the_file(tmp_path, filename):
    path = tmp_path / "note.txt"
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"), atomic_write(path):
        raise OSError(errno.ENOSPC, "No space left on device", filename)


def test_an_error_without_a_number_keeps_its_text(tmp_path):
    with pytest.raises(OSError, match=r"^file write failed$"), atomic_write(tmp_path / "note.txt"):
        raise OSError("file write failed")  # as h5py does


def test_a_reader_who_may_not_write_can_lock(public_folder):
    public_folder.chmod(0o555)
    with as_other_user(), lock_folder(public_folder), pytest.raises(BlockingIOError):
        lock_folder(public_folder, wait=False).__enter__()
