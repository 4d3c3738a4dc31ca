"""Export of the models of Questions 1 and 2, which are formulas: there is nothing to train."""

from typing import NamedTuple

import tensorflow as tf

from kerashw.errors import InputError
from kerashw.export import backprop_step, space_descent
from kerashw.export.version_folder import write_version
from kerashw.export.warmup_requests import WARMUP_REQUESTS, predict_log


class QuestionModel(NamedTuple):
    """A model with a single signature.

    Args:
        signature: String, its name.
        function: Function from tensors to a dictionary of tensors.
        inputs: Tuple of `tf.TensorSpec`s.
        example: Dictionary of arrays, inputs for the warm-up request.
    """

    signature: str
    function: object
    inputs: tuple
    example: dict


_MODELS = {
    "backprop": QuestionModel(
        "step",
        backprop_step.step,
        backprop_step.INPUTS,
        backprop_step.EXAMPLE,
    ),
    "spaces": QuestionModel(
        "descent",
        space_descent.descent,
        space_descent.INPUTS,
        space_descent.EXAMPLE,
    ),
}


def export_question_model(name, directory):
    """Write a model of Question 1 or 2 as the next version of a SavedModel.

    The SavedModel runs without Keras and without kerashw. `backprop` has the signature
    `kerashw.export.backprop_step.step`, and `spaces` `kerashw.export.space_descent.descent`.

    Args:
        name: String, "backprop" or "spaces".
        directory: String or `Path`, the model's base folder; created if it does not exist.

    Returns:
        `Path` of the version's folder: `directory`/1, then /2, …

    Raises:
        InputError: If there is no such model.
        OSError: If the folder cannot be written. No incomplete version remains.

    Example:
        >>> import tempfile
        >>> version = export_question_model("backprop", tempfile.mkdtemp())
        >>> step = tf.saved_model.load(version).signatures["step"]
        >>> numbers = {"x": [[2.0]], "A": [[[0.0]]], "B": [[[1.0]]]}
        >>> outputs = step(**{key: tf.constant(n, tf.float64) for key, n in numbers.items()})
        >>> float(outputs["s"][0, 0])  # σ(0 · 2) · (1 · 2)
        1.0
    """
    if name not in _MODELS:
        raise InputError(f"name must be one of {', '.join(_MODELS)}. Received: {name!r}")
    model = _MODELS[name]
    function = tf.function(model.function, input_signature=model.inputs, autograph=False)

    def write(folder):
        tf.saved_model.save(tf.Module(), str(folder), {model.signature: function})
        extras = folder / "assets.extra"
        extras.mkdir()
        with tf.io.TFRecordWriter(str(extras / WARMUP_REQUESTS)) as writer:
            log = predict_log(model.signature, model.example)
            writer.write(log.SerializeToString())

    return write_version(directory, write)
