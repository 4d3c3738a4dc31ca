"""The figures of claims 5 and 10 to 13 show the measurements, and are legible."""

import numpy as np
import pytest

from kerashw.plots.claim_evidence import accuracy_over_seeds, training_paths

from .legibility import assert_legible


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
def test_figures_are_legible(name):
    assert_legible(FIGURES[name])


def test_curves_are_means_and_bands_are_extremes():
    (axes,) = FIGURES["five seeds"].axes
    band = axes.collections[1].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((91.5, 92.76))
    lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
    assert any(np.allclose(line, [91.58, 92.38, 92.68]) for line in lines)
    assert axes.get_title(loc="left") == "test accuracy (%), mean and range of 5 seeds"


def test_the_homeworks_accuracy_is_drawn_only_with_the_convnet():
    def texts(figure):
        return "".join(text.get_text() for text in figure.axes[0].texts)

    assert "98.33 %  homework" in texts(FIGURES["ConvNet alone"])
    assert "homework" not in texts(accuracy_over_seeds({"softmax": TRAINED["softmax"]}))
