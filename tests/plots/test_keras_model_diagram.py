"""A model's diagram has the same information as its summary, and is legible."""

import functools

import keras
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kerashw.errors import InputError
from kerashw.models import MODELS, diagonal_classifier
from kerashw.plots.keras_model_diagram import model_diagram

BUILDERS = MODELS | {"diagonal": diagonal_classifier}


@functools.cache
def example(name):
    """Return a model and its diagram."""
    model = BUILDERS[name]()
    return model, model_diagram(model)


def rows(figure):
    """Return the texts of each layer: its description, its shape and its parameters."""
    texts = [text.get_text() for text in figure.axes[0].texts]
    return [texts[start : start + 3] for start in range(3, len(texts), 3)]


@pytest.mark.parametrize("name", BUILDERS)
def test_the_diagram_has_every_layer(name):
    model, figure = example(name)
    layers = rows(figure)
    assert len(layers) == len(model.operations)
    for (text, shape, _), layer in zip(layers[1:], model.operations[1:], strict=True):
        assert text.startswith(type(layer).__name__)
        assert shape == ("×".join(map(str, layer.output.shape[1:])) or "a number")
    numbers = [row[2].split()[0].replace(",", "") for row in layers]
    assert sum(int(number) for number in numbers if number != "–") == model.count_params()


@pytest.mark.parametrize("name", BUILDERS)
def test_each_text_is_in_its_box_or_column(name):
    _, figure = example(name)
    renderer = FigureCanvasAgg(figure).get_renderer()
    (axes,) = figure.axes
    extents = [text.get_window_extent(renderer) for text in axes.texts]
    right = max(extent.x1 for extent in extents)
    assert right < figure.bbox.x1
    boxes = [patch.get_window_extent() for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    for box, text in zip(boxes, extents[3::3], strict=True):
        assert box.x0 < text.x0 < text.x1 < box.x1
        assert box.y0 < text.y0 < text.y1 < box.y1
    for shape, parameters in zip(extents[4::3], extents[5::3], strict=True):
        assert boxes[0].x1 < shape.x0
        assert shape.x1 < parameters.x0


def test_named_outputs_and_frozen_weights_are_marked():
    layers = rows(example("diagonal")[1])
    assert layers[1] == ["DiagonalCount  3×3 → count", "a number", "9 frozen"]
    assert layers[-1][0] == "Cast → class"


def test_sequential_and_functional_models_have_equal_diagrams():
    x = keras.Input((4,), name="x")
    functional = keras.Model(x, keras.layers.Dense(3)(x))
    sequential = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3)])
    layers = [rows(model_diagram(model)) for model in (sequential, functional)]
    assert layers[0] == layers[1] == [["x", "4", "–"], ["Dense  3", "3", "15"]]


def test_a_model_that_is_not_a_chain_is_an_input_error():
    x = keras.Input((4,))
    forked = keras.Model(x, keras.layers.add([keras.layers.Dense(4)(x), x]))
    with pytest.raises(InputError, match=r"form a chain.*'add"):
        model_diagram(forked)
    dense = keras.layers.Dense(4)
    with pytest.raises(InputError, match="used twice"):
        model_diagram(keras.Model(x, dense(dense(x))))
    with pytest.raises(InputError, match="must be built"):
        model_diagram(keras.Sequential([keras.layers.Dense(3)]))
