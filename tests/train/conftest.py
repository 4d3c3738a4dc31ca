import subprocess

import pytest

from kerashw.train.__main__ import main


@pytest.fixture
def train_here(capsys):
    """Runs the command in this process, where TensorFlow is started already."""

    def run(*arguments):
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as ended:
            code = ended.code
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run
