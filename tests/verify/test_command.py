"""The command: its table, its files, its exit codes and its error messages."""

import json
import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from matplotlib.image import imread

from kerashw.verify.__main__ import main
from kerashw.verify.claims import question2
from tests.conftest import run_in_terminal
from tests.verify.conftest import COMMAND


def verify(*arguments):
    """Run the command in a process."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=900
    )


def verify_here(*arguments):
    """Run the command in this process, which has imported TensorFlow; return the exit code."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        return main(list(map(str, arguments)))
    except SystemExit as ended:
        return ended.code
    finally:
        signal.signal(signal.SIGTERM, handler)


def words(text):
    """Return a text without spaces and line breaks, which a table changes."""
    return "".join(text.split())


def cells(output, number, note=""):
    """Return the text of each cell in a claim's row, as `words`."""
    heading, *lines = output.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"{number:>2}  "))
    stop = lines.index("", start)
    # The note extends over all columns.
    row = [line for line in lines[start:stop] if line.strip() not in note]
    edges = [heading.index(name) for name in ("claim", "how it", "measured", "verdict")]
    columns = zip(edges, [*edges[1:], None], strict=True)
    return [words(" ".join(line[left:right] for line in row)) for left, right in columns]


def test_the_table_and_the_json_file_agree(verified):
    assert [row["number"] for row in verified.content["claims"]] == [1, 2, 3, 4, 9]
    for row in verified.content["claims"]:
        assert words(row["note"]) in words(verified.stdout)
        in_json = [words(row[name]) for name in ("claim", "how", "measured", "verdict")]
        assert cells(verified.stdout, row["number"], f"Correction: {row['note']}") == in_json
        assert row["as_expected"] and row["verdict"] in row["expected"]
    assert "4 hold, 1 holds with a correction. All as expected." in verified.stdout


def test_the_table_is_aligned_without_a_terminal(verified):
    assert verified.stderr == ""
    assert "\x1b" not in verified.stdout
    lines = verified.stdout.splitlines()
    rows = [line for line in lines if re.match(r" ?\d+  ", line)]
    start = lines[0].index("verdict")
    assert len(rows) == 5
    assert all(line[start - 1] == " " and line[start:].startswith("holds") for line in rows)
    assert max(map(len, lines)) <= 110 + len(str(verified.folder))


def test_the_json_file_has_the_environment_and_the_raw_numbers(verified):
    content = verified.content
    assert content["command"].startswith("python -m kerashw.verify --claim 9 4 2 3 1 4 --json")
    assert content["versions"]["numpy"] == np.__version__
    assert content["seeds"] == [0]
    numbers = {row["number"]: row["numbers"] for row in content["claims"]}
    assert numbers[9]["convnet"]["parameters"] == 1_199_882
    assert numbers[4]["largest_difference_of_probabilities"] < 1e-12
    assert numbers[2]["printed_least_error_at_larger_K"] > 0.1


def test_a_picture_is_drawn_for_every_claim_that_has_one(verified):
    pictures = sorted((verified.folder / "pictures").iterdir())
    assert [path.name for path in pictures] == ["claim-3-A.png", "claim-3-B.png"]
    for path in pictures:
        assert imread(path).shape[1] > 2000
        assert f"picture  {path}" in verified.stdout
    assert {path.name for path in verified.folder.iterdir()} == {"claims.json", "pictures"}


def test_the_exit_code_is_1_if_a_claim_does_not_hold(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(question2, "expand", lambda W: (W @ W.T, W @ W.T, float("nan") * W))
    json_file = tmp_path / "claims.json"
    assert verify_here("--claim", 4, 9, "--json", json_file) == 1
    output = capsys.readouterr().out
    assert cells(output, 4)[-1] == "doesnothold(expected:holds)"
    assert "1 holds, 1 does not hold. Not as expected: 4." in output
    wrong, right = json.loads(json_file.read_text(), parse_constant=pytest.fail)["claims"]
    assert (wrong["as_expected"], right["as_expected"]) == (False, True)
    assert wrong["numbers"]["largest_difference_of_probabilities"] is None


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ("--claim 4 99 --figures {}/new", ["--claim", "invalid choice: 99", "1, 2, 3"]),
        ("--claim three", ["--claim", "'three'", "--help"]),
        ("--claim", ["--claim", "at least one argument"]),
        ("--seeds 0 --json {}/claims.json", ["--seeds", "at least 1", "Received: '0'"]),
        ("--json /proc/claims.json", ["--json /proc/claims.json cannot be written"]),
        ("--claim 4 --json {}", ["--json {} cannot be written: Is a directory"]),
        ("--claim 4 --figures {}/file", ["--figures {}/file cannot be written: File exists"]),
    ],
)
def test_bad_input_is_reported_in_one_line_and_writes_no_files(
    arguments, messages, tmp_path, capfd
):
    (tmp_path / "file").write_text("mine")
    assert verify_here(*arguments.format(tmp_path).split()) == 2
    errors = capfd.readouterr().err
    assert len(errors.splitlines()) == 1
    for message in messages:
        assert message.format(tmp_path) in errors
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_bad_input_ends_the_process_with_2():
    ended = verify("--claim", "three")
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)


@pytest.mark.slow
def test_a_terminal_shows_the_progress(data, tmp_path):
    text = run_in_terminal([*COMMAND, "--claim", "12"])
    assert "claim 12" in text
    assert re.search(r"softmax regression, seed 0, epoch \d+/10", text)
    assert re.search(r"loss 0\.\d{4}  accuracy \d\d\.\d\d %", text)


@pytest.mark.slow
def test_an_interrupted_command_writes_no_files(data, tmp_path):
    files = ["--json", tmp_path / "claims.json", "--figures", tmp_path / "pictures"]
    process = subprocess.Popen(
        [*COMMAND, "--claim", "9", "10", *files],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert any(line.startswith(" 9") for line in process.stdout)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 130
    assert errors.splitlines() == [
        "python -m kerashw.verify: error: interrupted. Not all claims were tested"
    ]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_quiet_prints_nothing(capfd):
    assert verify_here("--claim", "9", "--quiet") == 0
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_every_claim_by_real_training(data, tmp_path):
    folder = tmp_path / "pictures"
    ended = verify("--seeds", 1, "--json", tmp_path / "claims.json", "--figures", folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    content = json.loads((tmp_path / "claims.json").read_text())
    assert {1, 2, 3, 4, 5, 9, 10, 11, 12, 13} <= {row["number"] for row in content["claims"]}
    assert {"claim-5-paths.png", "claims-10-to-13.png"} <= {p.name for p in folder.iterdir()}
    lengths = {name: len(runs) for name, runs in content["trainings"].items()}
    assert lengths == {"convnet": 1, "softmax": 1, "mlp": 1}
