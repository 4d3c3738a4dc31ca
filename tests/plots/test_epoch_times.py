"""The figure of epoch times shows medians and linear growth, inside the figure."""

from types import SimpleNamespace

import numpy as np

from kerashw.plots.epoch_times import epoch_times

from .legibility import assert_inside


def measurement(model, seconds):
    return SimpleNamespace(
        model=model,
        by_examples={n: [seconds * n * share for share in (0.9, 1, 2)] for n in (15000, 60000)},
        by_batch_size={n: [seconds * 60000 * (1 + 64 / n)] for n in (32, 1024)},
    )


def test_curves_are_medians_beside_linear_growth():
    figure = epoch_times([measurement("softmax", 1e-5), measurement("convnet", 1e-3)])
    left, right = figure.axes
    linear, medians, *_ = left.lines
    np.testing.assert_allclose(linear.get_ydata(), [0.15, 0.6])
    np.testing.assert_allclose(medians.get_ydata(), [0.15, 0.6])
    assert [text.get_text() for text in right.texts] == ["softmax regression", "ConvNet"]
    assert_inside(figure)
