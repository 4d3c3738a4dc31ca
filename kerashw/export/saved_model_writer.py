"""Export of a trained classifier as the next version of a SavedModel."""

import keras
import numpy as np
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.export.signatures import CLASSIFY, build_signatures
from kerashw.export.version_folder import write_version
from kerashw.export.warmup_requests import WARMUP_REQUESTS, write_warmup_requests
from kerashw.tensorflow_private import trackable_object

# Attributes of the exported object: lists of variables, `model.weights` and the model's epoch.
MODEL_WEIGHTS, CURRENT_EPOCH = "model_weights", "current_epoch"


def export_saved_model(model, directory, labels=None, epochs=(), centers_digits=None):
    """Write a classifier of images as the next version of a SavedModel.

    The SavedModel runs without Keras and without kerashw. These signatures return `probabilities`
    float32 (N, classes) and `class` int64 (N,), or the named outputs of the model:

    - `serving_default`: `image` float32 (N, height, width, channels) in [0, 1];
    - `pixels`: `image` uint8 (N, height, width), or (N, height, width, channels) in colour, pixels
      as in the data set;
    - `image_bytes`: `image_bytes` string (N,), image files. They are scaled as the pictures of a
      folder, see `kerashw.preprocessing.scale_files`, or, if `centers_digits` is true, centred as
      MNIST's digits, see `kerashw.preprocessing.center_digits`.

    These signatures return other outputs:

    - `normalized`: `image_bytes` as above → `image` uint8 as for `pixels`, the model's input;
    - `classify`, for TensorFlow Serving's `:classify`: `inputs` string (N,), serialized
      `tf.Example`s with a feature `image`, the floats of an image row by row → `classes` string
      (N, classes) and `scores` float32 (N, classes). A REST request must name the signature:
      `"signature_name": "classify"`;
    - `inside`, `attributions` and `weights` show what the model computes, see
      `kerashw.export.explanations`: `image` uint8 (N, height, width) as for `pixels`, or `unit`
      int32 (N,) → pictures as PNG files, and numbers;
    - `history`, if `epochs` are given: `epoch` int32 (N,) → `train_loss`, `test_loss` and
      `test_accuracy` float32 (N,) of these epochs, see `kerashw.export.history_signature`;
    - `feature_map`, for a model that counts diagonals: `image` as for `serving_default` →
      `feature_map` int32 and `peaks` bool (N, height - size + 1, width - size + 1).

    A model of colour images has none of `inside`, `attributions`, `weights` and `history`; one of
    other than one or three channels has no `image_bytes` and `normalized` either. A model with
    named outputs has only `serving_default`, `pixels` and `feature_map`. The SavedModel also
    contains the labels, one a line, in `assets.extra/labels.txt`, and warm-up requests for every
    signature that predicts, in `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: Built `keras.Model`, functional or Sequential, floats (N, height, width, channels) →
            probabilities (N, classes), or a dictionary of outputs.
        directory: String or `Path`, the model's base folder; created if it does not exist.
        labels: Sequence of strings, the names of the classes; by default "0", "1", …
        epochs: Sequence of dictionaries, the epochs in which the model was trained, with `epoch`,
            `train_loss`, `test_loss` and `test_accuracy`, or `validation_loss` and
            `validation_accuracy` in place of the test's.
        centers_digits: Boolean, whether `image_bytes` are images of digits, to be centred; by
            default if the model's images are grey and have MNIST's 28×28 pixels.

    Returns:
        `Path` of the version's folder: `directory`/1, then /2, …

    Raises:
        InputError: If the model or the labels are not as above.
        OSError: If the folder cannot be written. No incomplete version remains.

    Example:
        >>> import tempfile, kerashw
        >>> model = kerashw.models.softmax_regression()
        >>> export_saved_model(model, tempfile.mkdtemp()).name
        '1'

    Reference:
        https://www.tensorflow.org/tfx/serving/serving_basic.
    """
    return write_version(directory, classifier_writer(model, labels, epochs, centers_digits))


def classifier_writer(model, labels, epochs, centers_digits=None):
    """Check a classifier, and return a function that writes it as a SavedModel.

    Args:
        model: As for `export_saved_model`.
        labels: As for `export_saved_model`.
        epochs: As for `export_saved_model`.
        centers_digits: As for `export_saved_model`.

    Returns:
        Function of the `Path` of the folder to write.

    Raises:
        InputError: If the model or the labels are not as above.
    """
    model = _check_model(model)
    labels = _check_labels(labels, model)
    # A variable, so that the models of all epochs have the same graph.
    current_epoch = tf.Variable(epochs[-1]["epoch"] if epochs else 0, trainable=False)
    signatures = build_signatures(model, labels, epochs, current_epoch, centers_digits)

    def write(folder):
        _write_saved_model(folder, model, signatures, current_epoch)
        extras = folder / "assets.extra"
        extras.mkdir()
        if labels:
            (extras / "labels.txt").write_text("".join(f"{x}\n" for x in labels), "utf-8")
        write_warmup_requests(extras / WARMUP_REQUESTS, signatures)

    return write


def _check_model(model):
    """Check the input and the outputs of a model; return it as a functional model."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise InputError(
            "the model must be a built keras.Model, functional or Sequential with a keras.Input; "
            "wrap a subclass as keras.Model(image, model(image)), where image is a keras.Input. "
            f"Received: {model!r}"
        )
    if isinstance(model, keras.Sequential):  # it has no `output` before it is called
        model = keras.Model(model.inputs[0], model.outputs[0])
    input_shape, *output_shapes = [tuple(x.shape) for x in (*model.inputs, *model.outputs)]
    is_image = len(model.inputs) == 1 and len(input_shape) == 4 and None not in input_shape[1:]
    is_classifier = isinstance(model.output, dict) or _are_classes(output_shapes)
    if not is_image or not is_classifier:
        raise InputError(
            "the model must have one input (N, height, width, channels) of a fixed size and one "
            f"output (N, classes), or named outputs. Received: shapes "
            f"{[input_shape, *output_shapes]}"
        )
    if not isinstance(model.output, dict):
        _check_probabilities(model(np.zeros((1, *input_shape[1:]), "float32"), training=False))
    return model


def _are_classes(shapes):
    return len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] is not None


def _check_probabilities(outputs):
    outputs = np.asarray(outputs, "float64")
    if outputs.min() < 0 or abs(outputs.sum() - 1) > 0.02:  # 0.02 is the error of bfloat16
        raise InputError(
            "the model's outputs must be probabilities, which add up to 1; end it with a softmax. "
            f"Received: {np.round(outputs[0], 3).tolist()} for an empty image"
        )


def _check_labels(labels, model):
    """Return the names of the classes; of a model with named outputs, the labels as they are."""
    if isinstance(model.output, dict):
        return list(labels or [])
    classes = model.output.shape[-1]
    labels = list(map(str, range(classes)) if labels is None else labels)
    if len(labels) != classes or not all(_is_label(label) for label in labels):
        raise InputError(
            f"labels must be {classes} strings, one a class, each of one line. "
            f"Received: labels={labels!r}"
        )
    return labels


def _is_label(label):
    return isinstance(label, str) and len(label.splitlines()) == 1


def _write_saved_model(folder, model, signatures, current_epoch):
    # `keras.export.ExportArchive` would trace each function twice and store each variable twice.
    functions = {
        name: tf.function(
            signature.function, input_signature=[signature.input_spec], autograph=False
        ).get_concrete_function()
        for name, signature in signatures.items()
    }
    exported = trackable_object()
    for name in ("variables", "trainable_variables", "non_trainable_variables"):
        setattr(exported, name, [variable.value for variable in getattr(model, name)])
    setattr(exported, MODEL_WEIGHTS, [variable.value for variable in model.weights])
    setattr(exported, CURRENT_EPOCH, [current_epoch])
    exported.captured = [function.variables for function in functions.values()]
    for name, function in functions.items():
        setattr(exported, name, function)
    tf.saved_model.save(exported, str(folder), functions)
    if CLASSIFY in signatures:
        # TensorFlow declares every signature as one for `:predict`.
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
        updater.replace_method_name(CLASSIFY, tf.saved_model.CLASSIFY_METHOD_NAME)
        updater.save()
