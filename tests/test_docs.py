"""What the documents say is true: their commands, flags and code."""

import pathlib
import re

import pytest

from kerashw import benchmark, train, verify
from kerashw.serve import __main__ as serve

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_come_first():
    blocks = re.findall(r"```\n(.*?)\n```", README, re.DOTALL)
    assert blocks[:2] == [
        "pip install . && python -m kerashw.train",
        "pip install '.[test]' && pytest",
    ]


def test_ci_runs_the_readmes_test_command():
    assert "pip install '.[test]' && pytest\n" in (ROOT / ".ci" / "run").read_text()


def test_the_readmes_code_runs(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, names)
    assert names["history"].history["val_accuracy"][-1] > 0.91
    assert (tmp_path / "exports" / "softmax" / "1" / "saved_model.pb").exists()


def test_the_readmes_links_and_pictures_are_there():
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", prose):
        path = "".join(target)
        if not path.startswith("http"):
            assert (ROOT / path).exists(), path


def test_every_flag_in_the_readme_is_one_of_a_command(capsys):
    for command in (train, verify, benchmark, serve):
        with pytest.raises(SystemExit) as ended:
            command.main(["--help"])
        assert ended.value.code == 0
    shown = capsys.readouterr().out
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z_-]*", README):
        assert re.search(rf"{flag}(?![\w-])", shown), flag
    assert shown.count("examples:") == 4


def test_the_attribution_lists_the_archives_as_they_are():
    import hashlib

    folder = ROOT / "kerashw" / "datasets" / "archives"
    text = (folder / "README.md").read_text(encoding="utf-8")
    for archive in folder.glob("*.gz"):
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        row = f"| {archive.name} | {archive.stat().st_size:,} | {digest} |"
        assert row in text
