"""Learning curves and comparisons show the history, and their texts are legible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.model_names import COLORS, TITLES
from kerashw.plots.training_curves import comparison, learning_curves

from .histories import history
from .legibility import assert_legible


def end_labels(figure):
    return [text.get_text() for text in figure.axes[-1].texts]


@pytest.mark.parametrize("epochs", [1, 2, 10, 11, 35, 100, 1000])
def test_learning_curves_are_legible_with_integer_epochs(epochs):
    figure = learning_curves(history(epochs=epochs))
    assert_legible(figure)
    for axes in figure.axes:
        ticks = axes.get_xticks()
        assert axes.get_xlabel() == "epoch"
        assert ticks[0] == 1 and all(float(tick).is_integer() for tick in ticks)
        assert ticks[-1] <= epochs < 2 * ticks[-1]


def test_learning_curves_show_and_label_the_history():
    shown = history(epochs=10, accuracy=0.9822, loss=0.0213)
    figure = learning_curves(shown)
    names = ["train_loss", "test_loss", "test_accuracy"]
    for axes, name, scale in zip(figure.axes, names, (1, 1, 100), strict=True):
        expected = [scale * epoch[name] for epoch in shown["epochs"]]
        np.testing.assert_allclose(axes.lines[0].get_ydata(), expected)
    labels = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert labels == ["0.0213", "0.06", "98.22 %"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.get_suptitle() == "MLP, 1,199,882 parameters"


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize(
    ("loss", "accuracy"),
    [
        (0.0, 1.0),
        (1e-9, 1.0),
        (2.3, 0.0),
        (12345.6, 0.1),
        (1e30, 0.1),
        (np.inf, 0.1),
        (np.nan,) * 2,
    ],
)
def test_learning_curves_of_a_failed_training_are_legible(epochs, loss, accuracy):
    assert_legible(learning_curves(history("softmax", epochs, accuracy, loss)))


@pytest.mark.parametrize("epochs", [1, 2, 10, 100])
@pytest.mark.parametrize("gap", [0.0, 0.0001, 0.2])
def test_a_comparison_of_close_models_is_legible(epochs, gap):
    histories = [history(name, epochs, 0.99 - number * gap) for number, name in enumerate(TITLES)]
    figure = comparison(histories)
    assert_legible(figure)
    right = figure.axes[0].get_window_extent().x1
    assert all(text.get_window_extent().x0 > right for text in figure.axes[0].texts)


@given(st.lists(st.floats(0, 1), min_size=len(TITLES), max_size=len(TITLES)))
@settings(max_examples=10)
def test_a_comparison_is_legible_for_any_accuracies(accuracies):
    histories = [history(name, 2, value) for name, value in zip(TITLES, accuracies, strict=True)]
    assert_legible(comparison(histories))


def test_a_comparison_labels_each_curve_in_its_colour():
    figure = comparison([history("softmax", accuracy=0.9225), history("mlp", accuracy=0.9822)])
    axes = figure.axes[0]
    assert end_labels(figure) == ["92.25 %  softmax regression", "98.22 %  MLP"]
    for name, text, line in zip(["softmax", "mlp"], axes.texts, axes.lines, strict=False):
        assert text.get_color() == line.get_color() == COLORS[name]
    assert axes.get_title(loc="left") == "test accuracy (%)"
    assert axes.get_xlabel() == "epoch"


@pytest.mark.parametrize("epochs", [1, 10])
def test_the_homework_accuracy_is_marked_only_with_the_convnet(epochs):
    label = "98.33 %  homework:\nConvNet after epoch 1"
    convnet, mlp = history("convnet", epochs), history("mlp", epochs)
    assert end_labels(comparison([mlp, convnet]))[-1] == label
    assert label not in end_labels(comparison([mlp]))
    assert label not in end_labels(comparison([mlp, convnet], homework_accuracy=False))


def test_a_comparison_of_different_numbers_of_epochs_has_all_epochs():
    figure = comparison([history("mlp", 10), history("softmax", 2)])
    assert_legible(figure)
    assert list(figure.axes[0].get_xticks()) == list(range(1, 11))
