import pytest

from kerashw.files import SCRATCH_PREFIX, remove_scratch, written_whole


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "note.txt").write_text("old")
    with pytest.raises(RuntimeError), written_whole(tmp_path / "note.txt") as path:
        path.write_text("half of the n")
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]
    assert (tmp_path / "note.txt").read_text() == "old"


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "note.txt").write_text("old")
    with written_whole(tmp_path / "note.txt") as path:
        path.write_text("new")
        assert (tmp_path / "note.txt").read_text() == "old"
    assert (tmp_path / "note.txt").read_text() == "new"


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / f"{SCRATCH_PREFIX}abc").mkdir()
    (tmp_path / f"{SCRATCH_PREFIX}abc" / "half").touch()
    (tmp_path / "kept").touch()
    remove_scratch(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
