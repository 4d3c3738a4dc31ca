"""What a command imports: Keras without optional packages, and nothing slow before an error."""

import subprocess
import sys

import pytest

from kerashw.startup import OPTIONAL_PACKAGES

CODE = """
import sys
import kerashw.startup
from kerashw.console import quiet_import
with quiet_import():
    kerashw.startup.import_keras()
print(*[name for name in {names} if name in sys.modules])
import matplotlib.pyplot
"""


def test_packages_that_no_command_uses_are_left_out_and_can_be_imported_afterwards():
    code = CODE.format(names=OPTIONAL_PACKAGES)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    "command",
    [
        "train --model resnet",
        "train --epochs 0",
        "train --strategy fastest",
        "train --precision int8",
        "train --model diagonal --dataset mnist",
        "train --output hdfs://h/r",
        "train --optimizer fastest",
        "train --model nothere.py:build",
        "predict nothere picture.png",
        "evaluate nothere",
        "verify --claim 14",
        "verify --seeds 0",
        "verify --json /proc/claims.json",
        "benchmark speed",
    ],
)
def test_arguments_are_checked_before_tensorflow_is_imported(command):
    name, *arguments = command.split()
    code = f"""
import sys
from kerashw.{name}.__main__ import main
try:
    code = main({arguments})
except SystemExit as error:
    code = error.code
assert code == 2, code
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stderr.splitlines()) == 1
