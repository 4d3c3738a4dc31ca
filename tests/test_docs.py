"""What the documents say is true: their commands, flags and code."""

import os
import re
import shlex
import subprocess
import sys
from operator import attrgetter

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerashw
from kerashw.__main__ import COMMANDS
from kerashw.benchmark import __main__ as benchmark
from kerashw.evaluate import __main__ as evaluate
from kerashw.predict import __main__ as predict
from kerashw.serve import __main__ as serve
from kerashw.train import __main__ as train
from kerashw.verify import __main__ as verify
from tests.conftest import ROOT
from tests.ports import free_ports
from tests.shell_commands import run_commands

README = (ROOT / "README.md").read_text(encoding="utf-8")
BOOK = ROOT / "notebooks"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted(BOOK.rglob("*.md"))]
}
# The blocks of these are one after the other what one types, and are tried as such.
SERVE = re.search(r"^## Serve and draw\n(.*?)^## ", README, re.DOTALL | re.MULTILINE)[1]
SERVE_PAGE = "notebooks/how-to/serve.md"
WITH_PYTHON = [page for page in PAGES if page != SERVE_PAGE and "```python\n" in PAGES[page]]
INVENTORIES = {"keras": (keras, "keras."), "numpy": (np, "numpy."), "tensorflow": (tf, "tf.")}


def test_the_front_page_is_short():
    assert README.count("\n") <= 170


def test_the_two_commands_come_first():
    blocks = re.findall(r"```\n(.*?)\n```", README, re.DOTALL)
    assert blocks[:2] == [
        "pip install . && python -m kerashw.train",
        "pip install '.[test]' && pytest",
    ]


def test_ci_runs_the_readmes_test_command():
    assert "pip install '.[test]' && pytest\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_the_code_of_a_page_runs(page, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGES[page].replace(SERVE, ""), re.DOTALL):
        exec(block, names)
    if "history" in names:
        assert names["history"].history["val_accuracy"][-1] > 0.91
        assert (tmp_path / "exports" / "softmax" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
def test_what_is_typed_to_serve_works(data, tmp_path):
    python = shlex.quote(sys.executable)
    script = ""
    for language, block in re.findall(
        r"^```(\w*)\n(.*?)^```", SERVE + PAGES[SERVE_PAGE], re.DOTALL | re.M
    ):
        script += f"{python} - <<'END'\n{block}END\n" if language == "python" else block
    assert re.search(r'"class": \[\s*7\s*\]', run_commands(script, tmp_path))


@pytest.mark.slow
def test_what_is_typed_to_train_on_several_machines_works(data, tmp_path):
    block = re.search(r"```\n(.*?)```", PAGES["notebooks/how-to/train.md"], re.DOTALL)[1]
    ports = free_ports(2)
    workers = []
    for index in range(2):
        script = block.replace('"index": 0', f'"index": {index}')
        for number, port in enumerate(ports, 1):
            assert f"host{number}:12345" in script
            script = script.replace(f"host{number}:12345", f"127.0.0.1:{port}")
        script = script.replace("\npython ", f"\nexec {shlex.quote(sys.executable)} ").rstrip()
        script += " --model softmax --epochs 1 --train-examples 1000 --test-examples 500"
        (tmp_path / str(index)).mkdir()
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        workers.append(
            subprocess.Popen(["bash", "-c", script], cwd=tmp_path / str(index), env=environment)
        )
    assert [worker.wait(200) for worker in workers] == [0, 0]
    assert (tmp_path / "0" / "runs" / "mnist" / "report.html").exists()
    assert not (tmp_path / "1" / "runs").exists()


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page):
    prose = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", prose):
        path = "".join(target).partition("#")[0]
        if not path.startswith("http"):
            assert ((ROOT / page).parent / path).exists(), path


def test_every_flag_in_a_page_is_one_of_a_command(capsys):
    for command in (train, predict, evaluate, verify, benchmark, serve):
        with pytest.raises(SystemExit) as ended:
            command.main(["--help"])
        assert ended.value.code == 0
    shown = capsys.readouterr().out
    ours = re.sub(r"^curl .*", "", "\n".join(PAGES.values()), flags=re.MULTILINE)
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z_-]*", ours):
        assert re.search(rf"{flag}(?![\w-])", shown), flag
    assert shown.count("examples:") == 6


def test_the_reference_has_every_command_and_every_public_module():
    reference = "".join(PAGES[page] for page in PAGES if "/reference/" in page)
    commands = set(re.findall(r"^```\{command-help\} (\w+)$", reference, re.MULTILINE))
    assert commands == {"kerashw", *COMMANDS}
    modules = set(re.findall(r"^\.\. automodule:: (\S+)$", reference, re.MULTILINE))
    public = {f"kerashw.{name}" for name in kerashw.__all__ if not name.startswith("_")}
    assert modules >= public | {"kerashw.serve.client"}


@pytest.mark.parametrize("project", INVENTORIES)
def test_every_object_of_an_inventory_exists(project):
    module, prefix = INVENTORIES[project]
    header, *lines = (BOOK / "inventories" / f"{project}.txt").read_text("utf-8").splitlines()
    assert header == "# Sphinx inventory version 1"
    for line in lines[2:]:
        assert attrgetter(line.split()[0].removeprefix(prefix))(module)


def test_the_attribution_lists_the_archives_as_they_are():
    import hashlib

    folder = ROOT / "kerashw" / "datasets" / "archives"
    text = (folder / "README.md").read_text(encoding="utf-8")
    for archive in folder.glob("*.gz"):
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        row = f"| {archive.name} | {archive.stat().st_size:,} | {digest} |"
        assert row in text
