"""A diagram of a Keras model: one box for each layer, with its output shape and its parameters."""

from kerashw.model_names import TITLES
from kerashw.plots.layer_chain import layer_chain
from kerashw.plots.model_layers import layer_rows


def model_diagram(model, title=None):
    """Draw a model whose layers form a chain, from its input down to its output.

    Args:
        model: Built `keras.Model`, functional or Sequential, with one input. Intermediate layers
            may also be outputs.
        title: String; by default, the model's title in reports.

    Returns:
        `matplotlib.figure.Figure` with the output shape of one example and the number of parameters
        beside each layer.

    Raises:
        InputError: If the model is not built, or its layers do not form a chain.

    Example:
        >>> from kerashw.models import softmax_regression
        >>> figure = model_diagram(softmax_regression())
        >>> [text.get_text() for text in figure.axes[0].texts][-3:]
        ['Dense  10, softmax', '10', '7,850']

    Reference:
        The homework, Question 4.
    """
    return layer_chain(title or TITLES.get(model.name, model.name), layer_rows(model))
