import io

import numpy as np
from rich.console import Console

from kerashw.train.results import evaluate_predictions
from kerashw.train.summary_table import summary_table


def a_result(name, epochs):
    entry = {"train_loss": 0.1, "test_loss": 0.0312, "test_accuracy": 0.98331, "seconds": 1.5}
    history = {"model": name, "parameters": 1234567}
    history["epochs"] = [entry | {"epoch": epoch} for epoch in epochs]
    return evaluate_predictions(
        history, np.eye(2), np.zeros((2, 28, 28), "uint8"), np.arange(2), ("0", "1")
    )


def shown(results, homework=True, width=110):
    console = Console(width=width, file=io.StringIO())
    console.print(summary_table(results, homework))
    return console.file.getvalue()


def test_the_homeworks_figures_stand_beside_ours_where_they_are_asked_for():
    results = [a_result("convnet", [1, 2]), a_result("mlp", [1, 2])]
    assert "98.33 % after epoch 1" in shown(results)
    assert "homework" not in shown(results, homework=False)


def test_one_epoch_or_none_has_one_column_of_accuracies():
    assert shown([a_result("convnet", [1])]).count("98.33 %  ") == 1
    assert "epoch 10" in shown([a_result("diagonal", [0]), a_result("mlp", range(1, 11))])


def test_the_table_fits_a_terminal_of_80_columns_without_the_homework():
    lines = shown([a_result("softmax", [1, 2])], homework=False, width=80).splitlines()
    assert "1,234,567" in "".join(lines)
    assert not any("…" in line for line in lines)
