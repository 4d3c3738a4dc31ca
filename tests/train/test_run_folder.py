import json

import pytest

from kerashw.errors import InputError, RunError
from kerashw.train.run_folder import RunFolder


def manifest(**configuration):
    return {"configuration": configuration, "finished": None, "seconds": {}, "command": "new"}


def test_a_new_run_writes_nothing_before_it_starts(tmp_path):
    folder = RunFolder(tmp_path / "a" / "b", manifest(epochs=1))
    assert not list(tmp_path.iterdir())
    with folder.opened():
        pass
    written = json.loads((tmp_path / "a" / "b" / "manifest.json").read_text())
    assert written["configuration"] == {"epochs": 1}


def test_the_output_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    # A shell does not expand `--output=~/r`.
    assert RunFolder("~/r", manifest(epochs=1)).path == tmp_path / "r"
    with pytest.raises(InputError, match=r"--output ~nosuch/r .* Choose a folder without ~"):
        RunFolder("~nosuch/r", manifest(epochs=1))


def test_a_link_to_nothing_is_named(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("gone")
    for output in (link, link / "r"):
        with pytest.raises(RunError, match=f"--output {output} .*{link} is a link to gone, which"):
            RunFolder(output, manifest(epochs=1))
    (tmp_path / "gone").mkdir()
    with RunFolder(link, manifest(epochs=1)).opened():
        assert (tmp_path / "gone" / "manifest.json").exists()


def test_a_run_that_goes_on_keeps_its_manifest(tmp_path):
    first = RunFolder(tmp_path, manifest(epochs=1))
    first.manifest["command"] = "old"
    with first.opened():
        pass
    assert RunFolder(tmp_path, manifest(epochs=1)).manifest["command"] == "old"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"configuration": 3}', "\x00"])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RunError, match="manifest"):
        RunFolder(tmp_path, manifest(epochs=1))
    assert (tmp_path / "manifest.json").read_text() == text


def test_every_difference_between_configurations_is_named(tmp_path):
    with RunFolder(tmp_path, manifest(epochs=1, seed=0, dataset="mnist")).opened():
        pass
    with pytest.raises(RunError, match=r"epochs 1 there, 2 here, seed 0 there, 5 here\)"):
        RunFolder(tmp_path, manifest(epochs=2, seed=5, dataset="mnist"))


def test_what_a_killed_process_left_half_written_goes_at_the_start(tmp_path):
    with RunFolder(tmp_path, manifest(epochs=1)).opened():
        pass
    for place in (tmp_path, tmp_path / "mlp" / "checkpoint", tmp_path / "exports" / "mlp"):
        (place / ".writing-x").mkdir(parents=True)
    with RunFolder(tmp_path, manifest(epochs=1)).opened():
        pass
    assert not list(tmp_path.rglob(".writing-*"))


def test_two_processes_do_not_work_in_one_folder(tmp_path):
    folder = RunFolder(tmp_path, manifest(epochs=1))
    # A lock belongs to the opened folder: another start stands for another process.
    with folder.opened(), pytest.raises(RunError, match="another process"), folder.opened():
        pass
    with folder.opened():
        pass


def test_a_history_that_is_shorter_than_its_checkpoint_is_damaged(tmp_path):
    model = RunFolder(tmp_path, manifest(epochs=9)).model("mlp")
    (tmp_path / "mlp" / "checkpoint").mkdir(parents=True)
    (tmp_path / "mlp" / "checkpoint" / "epoch-0004.keras").touch()
    (tmp_path / "mlp" / "history.json").write_text(
        '{"model": "mlp", "parameters": 1, "epochs": [{}, {}]}'
    )
    with pytest.raises(RunError, match=r"history\.json is damaged"):
        model.load()
