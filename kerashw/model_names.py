"""The names of the models, on the command line and in text, and their colours.

This module imports nothing, so that a command checks its arguments before it imports TensorFlow.
"""

# The names on the command line: models that are trained, and models that are only exported. The
# model `diagonal` has nothing to train, but is tested.
TRAINED_MODELS = ("softmax", "mlp", "convnet", "factored", "learned_diagonal")
QUESTION_MODELS = ("backprop", "spaces")
# The models for data sets of diagonals only.
DIAGONAL_MODELS = ("diagonal", "learned_diagonal")
# The value of `--precision` → the Keras dtype policy.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# The name of a model on the command line → its name in text.
TITLES = {
    "softmax": "softmax regression",
    "mlp": "MLP",
    "convnet": "ConvNet",
    "factored": "factored softmax",
    "diagonal": "diagonal classifier",
    "learned_diagonal": "learned kernel",
}
# Its colour in every plot: those of Okabe and Ito, distinct for colour-blind readers, and two more.
COLORS = {
    "softmax": "#D55E00",
    "mlp": "#009E73",
    "convnet": "#0072B2",
    "factored": "#CC79A7",
    "diagonal": "#000000",
    "learned_diagonal": "#882255",
}
LONGEST_TITLE = 22
# The colours of other models, in their order.
SPARE_COLORS = ("#8C6D1F", "#3F7FBF", "#B2182B", "#5E4FA2", "#1B7837")


def is_function(model):
    """Return whether a model is a function of the user, as `package.module:function`."""
    return ":" in model


def folder_name(model):
    """Return the name of a model's folder in a run: that of the function, if it is one.

    Args:
        model: String, a name, or `package.module:function` or `file.py:function`.

    Returns:
        String.

    Example:
        >>> folder_name("mlp"), folder_name("models/small.py:build")
        ('mlp', 'build')
    """
    return model.rpartition(":")[2]


def short_title(name):
    """Return the name of a model in text, of at most 22 characters, for labels in figures.

    Args:
        name: String, the name of its folder.

    Returns:
        String.

    Example:
        >>> short_title("mlp"), short_title("a_function_with_a_long_name")
        ('MLP', 'a_function_with_a_lon…')
    """
    title = TITLES.get(name, name)
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def colors_of(names):
    """Return the colours of models in a figure.

    Args:
        names: Sequence of strings, the models' names.

    Returns:
        Dict of colours by name.

    Example:
        >>> colors_of(["mlp", "build"])
        {'mlp': '#009E73', 'build': '#8C6D1F'}
    """
    others = [name for name in names if name not in COLORS]
    spare = {name: SPARE_COLORS[i % len(SPARE_COLORS)] for i, name in enumerate(others)}
    return {name: COLORS.get(name) or spare[name] for name in names}
