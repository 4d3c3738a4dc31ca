"""Trained classifiers as SavedModels that TensorFlow Serving takes as they are.

A base folder holds one model in numbered versions, the greatest of which is served. A version's
folder appears whole or not at all, and is never changed afterwards.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.export.models_config_writer import versions
from kerashw.export.signatures import CLASSIFY, signatures
from kerashw.export.warmup_requests import warmup_request
from kerashw.files import scratch_folder


def export_saved_model(model, directory, labels=None):
    """Write a classifier of images as the next version of a SavedModel.

    The SavedModel needs neither Keras nor kerashw to run. Its signatures, for any N:

    - `serving_default`: `image` float32 (N, height, width, channels) in [0, 1];
    - `pixels`: `image` uint8 (N, height, width), pixels as in the data set;
    - `image_bytes`: `image_bytes` string (N,), PNG or JPEG files of digits, see
      `kerashw.preprocessing.digit_centering.normalized`;
    - these give `probabilities` float32 (N, classes) and `class` int64 (N,), or what the model
      itself gives by name, as the diagonal classifier does;
    - `normalized`: `image_bytes` as above → `image` uint8 (N, height, width), what the model sees;
    - `classify`, for TensorFlow Serving's `:classify`: `inputs` string (N,), serialized
      `tf.Example`s whose feature `image` is all of an image's floats, row by row → `classes` string
      (N, classes) and `scores` float32 (N, classes); in REST the request must name it,
      `"signature_name": "classify"`;
    - `feature_map`, of a model that counts diagonals: `image` as of `serving_default` →
      `feature_map` int32 and `peaks` bool (N, height - size + 1, width - size + 1).

    Models of colour images have `serving_default` and `classify` only; those that give outputs by
    name have neither `image_bytes` nor `classify`. Beside the model lie the labels,
    `assets.extra/labels.txt`, one a line, and requests for every signature with which a server
    warms up, `assets.extra/tf_serving_warmup_requests`.

    Args:
        model: Built `keras.Model`, functional or Sequential, floats (N, height, width, channels) →
            probabilities (N, classes), or a dict of outputs.
        directory: String or `Path`, the model's base folder; made where it is not there.
        labels: Sequence of strings, the classes' names; by default "0", "1", …

    Returns:
        `Path` of the version's folder: `directory`/1, then /2, …

    Raises:
        InputError: If the model or the labels are not as above.
        OSError: If the folder cannot be written; nothing is left behind then.

    Example:
        >>> import tempfile, kerashw
        >>> model = kerashw.models.softmax_regression()
        >>> export_saved_model(model, tempfile.mkdtemp()).name
        '1'

    Reference:
        https://www.tensorflow.org/tfx/serving/serving_basic, `keras.export.ExportArchive`,
        https://www.tensorflow.org/tfx/serving/saved_model_warmup.
    """
    model = _checked_model(model)
    labels = _checked_labels(labels, model)
    found = signatures(model, labels)
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, signature in found.items():
        archive.add_endpoint(name, signature.function, signature.inputs)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with scratch_folder(directory) as scratch:
        try:
            archive.write_out(scratch / "model", verbose=False)
            if CLASSIFY in found:
                _declare_classify(scratch / "model")
            _write_extras(scratch / "model" / "assets.extra", found, labels)
        except tf.errors.OpError as error:
            raise OSError(f"{directory} cannot be written: {error.message}") from error
        return _rename_to_next_version(scratch / "model", directory)


def _checked_model(model):
    """Return a model as a functional one, whose input and output are images and classes."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise InputError(
            "the model must be a built keras.Model, functional or Sequential; give it a "
            f"keras.Input, or call it once. Received: {model!r}"
        )
    if isinstance(model, keras.Sequential):  # which has no `output` until it is called
        model = keras.Model(model.inputs[0], model.outputs[0])
    given, *outputs = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    is_image = len(model.inputs) == 1 and len(given) == 4 and None not in given[1:]
    if not is_image or not (isinstance(model.output, dict) or _is_classes(outputs)):
        raise InputError(
            "the model must have one input (N, height, width, channels) of a fixed size and one "
            f"output (N, classes), or outputs by name. Received: shapes {[given, *outputs]}"
        )
    if not isinstance(model.output, dict):
        _check_probabilities(model(np.zeros((1, *given[1:]), "float32"), training=False))
    return model


def _check_probabilities(outputs):
    outputs = np.asarray(outputs, "float64")
    if outputs.min() < 0 or abs(outputs.sum() - 1) > 0.02:  # as near as half precision comes
        raise InputError(
            "the model's outputs must be probabilities, which add up to 1; end it with a softmax. "
            f"Received: {np.round(outputs[0], 3).tolist()} for an empty image"
        )


def _is_classes(shapes):
    return len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] is not None


def _checked_labels(labels, model):
    """Return the classes' names; none for a model that gives no probabilities of classes."""
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


def _declare_classify(folder):
    """Say that a signature is for `:classify`; Keras says of all that they are for `:predict`."""
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    updater.replace_method_name(CLASSIFY, tf.saved_model.CLASSIFY_METHOD_NAME)
    updater.save()


def _write_extras(folder, found, labels):
    folder.mkdir()
    if labels:
        (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for name, signature in found.items():
            for example in signature.examples:
                writer.write(warmup_request(name, example).SerializeToString())


def _rename_to_next_version(folder, directory):
    """Give a finished folder the next free number, also beside other processes that do so."""
    while True:
        version = directory / str(max(versions(directory), default=0) + 1)
        try:
            folder.rename(version)
        except OSError:
            if not version.exists():
                raise
        else:
            return version
