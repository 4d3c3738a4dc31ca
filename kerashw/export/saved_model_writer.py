"""Export of a trained classifier as the next version of a SavedModel.

The base folder of a model contains numbered versions. A server serves the greatest one. The folder
of a version appears complete or not at all, and never changes afterwards.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.export.models_config_writer import versions
from kerashw.export.signatures import CLASSIFY, build_signatures
from kerashw.export.warmup_requests import write_warmup_requests
from kerashw.files import temporary_folder


def export_saved_model(model, directory, labels=None):
    """Write a classifier of images as the next version of a SavedModel.

    The SavedModel runs without Keras and without kerashw. These signatures return `probabilities`
    float32 (N, classes) and `class` int64 (N,), or the named outputs of the model:

    - `serving_default`: `image` float32 (N, height, width, channels) in [0, 1];
    - `pixels`: `image` uint8 (N, height, width), pixels as in the data set;
    - `image_bytes`: `image_bytes` string (N,), image files of digits, see
      `kerashw.preprocessing.center_digits`.

    These signatures return other outputs:

    - `normalized`: `image_bytes` as above → `image` uint8 (N, height, width), the model's input;
    - `classify`, for TensorFlow Serving's `:classify`: `inputs` string (N,), serialized
      `tf.Example`s with a feature `image`, the floats of an image row by row → `classes` string
      (N, classes) and `scores` float32 (N, classes). A REST request must name the signature:
      `"signature_name": "classify"`;
    - `feature_map`, for a model that counts diagonals: `image` as for `serving_default` →
      `feature_map` int32 and `peaks` bool (N, height - size + 1, width - size + 1).

    A model of colour images has only `serving_default` and `classify`. A model with named outputs
    has none of `image_bytes`, `normalized` and `classify`. The SavedModel also contains the labels,
    one a line, in `assets.extra/labels.txt`, and warm-up requests for every signature in
    `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: Built `keras.Model`, functional or Sequential, floats (N, height, width, channels) →
            probabilities (N, classes), or a dictionary of outputs.
        directory: String or `Path`, the model's base folder; created if it does not exist.
        labels: Sequence of strings, the names of the classes; by default "0", "1", …

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
        https://www.tensorflow.org/tfx/serving/serving_basic, `keras.export.ExportArchive`.
    """
    model = _check_model(model)
    labels = _check_labels(labels, model)
    signatures = build_signatures(model, labels)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with temporary_folder(directory) as folder:
        try:
            _write_saved_model(folder / "model", model, signatures)
            extras = folder / "model" / "assets.extra"
            extras.mkdir()
            if labels:
                (extras / "labels.txt").write_text("".join(f"{x}\n" for x in labels), "utf-8")
            write_warmup_requests(extras / "tf_serving_warmup_requests", signatures)
        except tf.errors.OpError as error:
            raise OSError(f"{directory} cannot be written: {error.message}") from error
        return _move_to_next_version(folder / "model", directory)


def _check_model(model):
    """Check the input and the outputs of a model; return it as a functional model."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise InputError(
            "the model must be a built keras.Model, functional or Sequential; add a keras.Input, "
            f"or call it once. Received: {model!r}"
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


def _write_saved_model(folder, model, signatures):
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, signature in signatures.items():
        archive.add_endpoint(name, signature.function, [signature.input_spec])
    archive.write_out(folder, verbose=False)
    if CLASSIFY in signatures:
        # Keras declares every signature as one for `:predict`.
        updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
        updater.replace_method_name(CLASSIFY, tf.saved_model.CLASSIFY_METHOD_NAME)
        updater.save()


def _move_to_next_version(folder, directory):
    """Rename a complete folder to the next free version, also while other processes export."""
    while True:
        version = directory / str(max(versions(directory), default=0) + 1)
        try:
            folder.rename(version)
        except OSError:
            if not version.exists():
                raise
        else:
            return version
