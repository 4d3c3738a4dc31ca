"""`--seeds`: the numbers are those of the single runs."""

import re

import numpy as np
import pytest

from tests.train.processes import SMALL, assert_refused, files_of, history_of

RUN = ["--model", "softmax", "--epochs", 2, *SMALL]


@pytest.mark.slow
def test_the_table_has_the_numbers_of_the_single_runs(data, tmp_path, train_here):
    output = tmp_path / "several"
    ended = train_here(*RUN, "--seeds", 0, 1, "--output", output)
    assert ended.returncode == 0, ended.stderr
    assert train_here(*RUN, "--seed", 1, "--output", tmp_path / "single").returncode == 0
    histories = [history_of(output / f"seed-{seed}", "softmax") for seed in (0, 1)]
    assert histories[1] == history_of(tmp_path / "single", "softmax")
    epochs = [history["epochs"][-1] for history in histories]
    accuracy, loss = ([epoch[f"test_{name}"] for epoch in epochs] for name in ("accuracy", "loss"))
    table = ended.stdout[ended.stdout.index("Mean ± standard deviation over 2 seeds") :]
    for text in (
        f"{100 * np.mean(accuracy):.2f} ± {100 * np.std(accuracy, ddof=1):.2f} %",
        f"{np.mean(loss):.4f} ± {np.std(loss, ddof=1):.4f}",
    ):
        assert text in table
        assert text in (output / "report.html").read_text()
    links = re.findall(r'href="(seed-\d/report.html)"', (output / "report.html").read_text())
    assert links == ["seed-0/report.html", "seed-1/report.html"]
    assert all((output / link).exists() for link in links)
    # The same command trains nothing again.
    before = {path: time for path, time in files_of(output).items() if "seed-" in str(path)}
    assert train_here(*RUN, "--seeds", 0, 1, "--output", output).returncode == 0
    assert before.items() <= files_of(output).items()


def test_wrong_seeds_are_refused_in_one_line(data, tmp_path, train_here):
    assert_refused(train_here("--seeds", 1, 1), "seeds must be different numbers")
    assert_refused(train_here("--seeds", 0, -1), "seed must be a whole number of at least 0")
    (tmp_path / "manifest.json").write_text("{}")
    ended = train_here("--quiet", *RUN, "--seeds", 0, 1, "--output", tmp_path)
    assert_refused(ended, "holds a single run")
