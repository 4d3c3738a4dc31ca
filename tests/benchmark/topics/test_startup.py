import json
import subprocess
import sys

import pytest

from kerashw.benchmark.topics import startup
from kerashw.errors import BenchmarkError


def test_kerashw_and_tfds_load_the_same_examples(data):
    (comparison,) = startup.compare_loading(rounds=1, warm_up=0)
    assert comparison.quality == "the same examples"


def test_a_path_with_spaces_is_one_argument(tmp_path):
    folder, data_dir = tmp_path / "a b", "c d"
    command = startup._command("kerashw", {}, folder, data_dir)
    assert command[-4:] == ["--output", str(folder / "run"), "--data-dir", data_dir]


def test_the_error_of_a_command_is_reported():
    with pytest.raises(BenchmarkError, match=r"failed: ValueError: no$"):
        startup._seconds_to_last_line([sys.executable, "-c", "raise ValueError('no')"])


@pytest.mark.slow
def test_the_timed_imports_are_those_of_the_training_command():
    # Everything that `kerashw.train` has imported when it starts to train, and nothing else.
    script = "import json, sys; {}; print(json.dumps(sorted(sys.modules)))"
    command = "from kerashw.train.__main__ import main; main(['--output', '/proc/runs'])"
    expected, timed = (
        {name for name in imported_by(script.format(body)) if name.startswith("kerashw")}
        for body in (command, f"exec({startup.IMPORTS!r})")
    )
    command_line = {f"kerashw.train.{name}" for name in ("__main__", "config_file", "options")}
    assert expected - timed <= command_line
    assert timed <= expected


def imported_by(script):
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    return json.loads(output.splitlines()[-1])
