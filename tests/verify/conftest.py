"""The results that the tests of the command and of the claims share."""

import json
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests.shared_folder import shared_folder

COMMAND = [sys.executable, "-m", "kerashw.verify"]


class Verified(NamedTuple):
    """The output of the command: its folder, the content of the JSON file, and what it printed."""

    folder: object
    content: dict
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def verified(tmp_path_factory):
    """The claims that need no training, tested by the command in a process."""

    def make(folder):
        files = ("--json", folder / "out" / "claims.json", "--figures", folder / "out" / "pictures")
        command = [*COMMAND, "--claim", *"942314", *files]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stderr
        (folder / "output.json").write_text(json.dumps([ended.stdout, ended.stderr]))

    folder = shared_folder(tmp_path_factory, "verified", make)
    content = json.loads((folder / "out" / "claims.json").read_text())
    return Verified(folder / "out", content, *json.loads((folder / "output.json").read_text()))


@pytest.fixture(scope="session")
def verdicts(verified):
    """The verdict of each claim in `verified`, by number."""
    return {row["number"]: row["verdict"] for row in verified.content["claims"]}
