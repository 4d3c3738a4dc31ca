"""The command, as real processes: its table, its files, its exit codes, and what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from kerashw.plots.claim_evidence import accuracy_over_seeds, training_paths
from kerashw.verify.__main__ import main
from tests.conftest import shown_in_a_terminal

COMMAND = [sys.executable, "-m", "kerashw.verify"]


def verify(*arguments, command=COMMAND, **settings):
    """Run the command to its end."""
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=900, **settings
    )


def here(*arguments):
    """Run the command in this process, for what another one would take seconds to import."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        return main(list(arguments))
    except SystemExit as ended:
        return ended.code
    finally:
        signal.signal(signal.SIGTERM, handler)


def words(text):
    """Return a text without the spaces and line breaks that a table changes."""
    return "".join(text.split())


def cells(shown, number, note=""):
    """Return what stands in each column of a claim's row, as words."""
    heading, *lines = shown.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"{number:>2}  "))
    stop = lines.index("", start)
    # The note goes over all columns.
    row = [line for line in lines[start:stop] if line.strip() not in note]
    edges = [heading.index(name) for name in ("claim", "how it", "measured", "verdict")]
    columns = zip(edges, [*edges[1:], None], strict=True)
    return [words(" ".join(line[left:right] for line in row)) for left, right in columns]


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """The claims that need no data, their files, and what was printed."""
    folder = tmp_path_factory.mktemp("new") / "folder"
    files = ("--json", folder / "claims.json", "--figures", folder / "pictures")
    ended = verify("--claim", 9, 4, 2, 3, 4, *files)
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_the_table_and_the_json_say_the_same(verified):
    folder, ended = verified
    content = json.loads((folder / "claims.json").read_text())
    assert [row["number"] for row in content["claims"]] == [2, 3, 4, 9]
    for row in content["claims"]:
        assert words(row["note"]) in words(ended.stdout)
        in_json = [words(row[name]) for name in ("claim", "how", "measured", "verdict")]
        assert cells(ended.stdout, row["number"], f"Correction: {row['note']}") == in_json
        assert row["as_expected"] and row["verdict"] in row["expected"]
    assert "3 hold, 1 holds with a correction. All as expected." in ended.stdout


def test_the_table_lines_up_without_a_terminal(verified):
    _, ended = verified
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout
    rows = [line for line in ended.stdout.splitlines() if re.match(r" ?\d+  ", line)]
    start = ended.stdout.splitlines()[0].index("verdict")
    assert len(rows) == 4
    assert all(line[start - 1] == " " and line[start:].startswith("holds") for line in rows)
    assert max(map(len, ended.stdout.splitlines())) <= 110 + len(str(verified[0]))


def test_the_json_holds_what_the_numbers_came_from(verified):
    content = json.loads((verified[0] / "claims.json").read_text())
    assert content["command"].startswith("python -m kerashw.verify --claim 9 4 2 3 4 --json")
    assert content["versions"]["numpy"] == np.__version__
    assert content["seeds"] == [0]
    numbers = {row["number"]: row["numbers"] for row in content["claims"]}
    assert numbers[9]["convnet"]["parameters"] == 1_199_882
    assert numbers[4]["largest_difference_of_probabilities"] < 1e-12
    assert numbers[2]["printed_least_error_at_larger_K"] > 0.1


def test_a_picture_is_drawn_for_every_claim_that_has_one(verified):
    folder, ended = verified
    pictures = sorted((folder / "pictures").iterdir())
    assert [path.name for path in pictures] == ["claim-3-A.png", "claim-3-B.png"]
    for path in pictures:
        assert imread(path).shape[1] > 2000
        assert f"picture  {path}" in ended.stdout
    assert {path.name for path in folder.iterdir()} == {"claims.json", "pictures"}


def test_a_claim_that_is_wrong_ends_with_1(tmp_path):
    script = (
        "import sys, kerashw.verify; from kerashw.verify.claims import question2; "
        "question2.expand = lambda W: (W @ W.T, W @ W.T, float('nan') * W); "
        "sys.exit(kerashw.verify.main())"
    )
    json_file = tmp_path / "claims.json"
    command = [sys.executable, "-c", script]
    ended = verify("--claim", 4, 9, "--json", json_file, command=command)
    assert ended.returncode == 1, ended.stderr
    assert cells(ended.stdout, 4)[-1] == "doesnothold(expected:holds)"
    assert "1 holds, 1 does not hold. Not as expected: 4." in ended.stdout
    wrong, right = json.loads(json_file.read_text(), parse_constant=pytest.fail)["claims"]
    assert (wrong["as_expected"], right["as_expected"]) == (False, True)
    assert wrong["numbers"]["largest_difference_of_probabilities"] is None


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ("--claim 4 99 --figures {}/new", ["numbers 1, 2, 3", "Received: 99"]),
        ("--claim three", ["--claim", "'three'", "--help"]),
        ("--claim", ["--claim", "at least one argument"]),
        ("--seeds 0 --json {}/claims.json", ["seeds", "at least 1", "Received: 0"]),
        ("--json /proc/claims.json", ["--json /proc/claims.json cannot be written"]),
        ("--claim 4 --json {}", ["--json {} cannot be written: Is a directory"]),
        ("--claim 4 --figures {}/file", ["--figures {}/file cannot be written: File exists"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, messages, tmp_path, capfd):
    (tmp_path / "file").write_text("mine")
    assert here(*arguments.format(tmp_path).split()) == 2
    errors = capfd.readouterr().err
    assert len(errors.splitlines()) == 1
    for message in messages:
        assert message.format(tmp_path) in errors
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_bad_input_ends_the_process_with_2():
    ended = verify("--seeds", "0")
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)


def test_a_terminal_shows_what_goes_on(data, tmp_path):
    text = shown_in_a_terminal([*COMMAND, "--claim", "12"])
    assert "claim 12" in text
    assert re.search(r"softmax regression, seed 0, epoch \d+/10", text)
    assert re.search(r"loss 0\.\d{4}  accuracy \d\d\.\d\d %", text)


def test_an_interruption_leaves_nothing_half_written(data, tmp_path):
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
    assert here("--claim", "9", "--quiet") == 0
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


# The pictures.


def five_seeds(*accuracies):
    return [{"test_accuracy": [a + 0.0004 * seed for a in accuracies]} for seed in range(5)]


PATHS = {
    "step": [0, 32, 64],
    "plane": {"h1": [[0, 0], [2, -1], [3, -1.1]], "h2": [[0, 0], [3, 1], [5, 2]], "share": 0.98},
    "test_accuracy_in_h1": [0.05, 0.85, 0.9],
    "test_accuracy_in_h2": [0.05, 0.86, 0.9],
}
TRAINED = {
    "convnet": five_seeds(0.9825),
    "softmax": five_seeds(0.915, 0.923, 0.926),
    "mlp": five_seeds(0.96, 0.981, 0.9827),
}
FIGURES = {
    "paths": training_paths(PATHS),
    "five seeds": accuracy_over_seeds(TRAINED),
    "one seed": accuracy_over_seeds({name: runs[:1] for name, runs in TRAINED.items()}),
    "ConvNet alone": accuracy_over_seeds({"convnet": TRAINED["convnet"]}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_on_another(name):
    figure = FIGURES[name]
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    written = [text for axes in figure.axes for text in [*axes.texts, axes.xaxis.label]]
    boxes = [text.get_window_extent(renderer) for text in written if text.get_text()]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_the_curves_are_the_means_and_the_bands_the_extremes():
    (axes,) = FIGURES["five seeds"].axes
    band = axes.collections[1].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((91.5, 92.76))
    lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
    assert any(np.allclose(line, [91.58, 92.38, 92.68]) for line in lines)
    assert axes.get_title(loc="left") == "test accuracy (%), mean and range of 5 seeds"


def test_the_homeworks_figure_is_drawn_beside_the_convnets_only():
    def texts(figure):
        return "".join(text.get_text() for text in figure.axes[0].texts)

    assert "98.33 %  homework" in texts(FIGURES["ConvNet alone"])
    assert "homework" not in texts(accuracy_over_seeds({"softmax": TRAINED["softmax"]}))
