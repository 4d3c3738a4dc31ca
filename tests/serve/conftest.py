"""What the server's tests share: the models that the recordings were made on."""

import subprocess
import sys

import pytest

from tests.serve.recordings import DATA

collect_ignore = ["data"]  # scripts there are run, not imported


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The folder of the recordings' models and their models.config."""
    folder = tmp_path_factory.mktemp("recorded") / "models"
    script = [sys.executable, DATA / "export_models.py", folder]
    subprocess.run(script, check=True, timeout=120, capture_output=True)
    return folder
