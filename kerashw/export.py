"""Trained classifiers as SavedModels that TensorFlow Serving takes as they are.

A base folder holds one model in numbered versions, the greatest of which is served. A version's
folder appears whole or not at all, and is never changed afterwards.
"""

import json
from pathlib import Path

import keras
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.files import scratch_folder, written_whole


def export_saved_model(model, directory):
    """Write a classifier of images as the next version of a SavedModel.

    The SavedModel needs neither Keras nor kerashw to run. Its signatures, for any N:

    - `serving_default`: `image` float32 (N, height, width, channels) in [0, 1];
    - `pixels`: `image` uint8 (N, height, width), pixels as in the data set; for models of grey
      images only;
    - both give `probabilities` float32 (N, classes) and `class` int64 (N,), or what the model
      itself gives by name, as the diagonal classifier does.

    Args:
        model: `keras.Model`, floats (N, height, width, channels) → probabilities (N, classes), or a
            dict of outputs.
        directory: String or `Path`, the model's base folder; made where it is not there.

    Returns:
        `Path` of the version's folder: `directory`/1, then /2, …

    Raises:
        InputError: If the model is not of that shape.
        OSError: If the folder cannot be written; nothing is left behind then.

    Example:
        >>> import tempfile, kerashw
        >>> model = kerashw.models.softmax_regression()
        >>> export_saved_model(model, tempfile.mkdtemp()).name
        '1'

    Reference:
        https://www.tensorflow.org/tfx/serving/serving_basic, `keras.export.ExportArchive`.
    """
    image_shape = _image_shape(model)
    archive = keras.export.ExportArchive()
    archive.track(model)

    def predict(image):
        probabilities = model(image, training=False)
        if isinstance(probabilities, dict):
            return probabilities
        return {"probabilities": probabilities, "class": tf.argmax(probabilities, axis=-1)}

    def predict_pixels(image):
        return predict(tf.cast(image, tf.float32)[..., tf.newaxis] / 255)

    def image_spec(shape, dtype):
        return [tf.TensorSpec((None, *shape), dtype, name="image")]

    archive.add_endpoint("serving_default", predict, image_spec(image_shape, tf.float32))
    if image_shape[-1] == 1:
        archive.add_endpoint("pixels", predict_pixels, image_spec(image_shape[:-1], tf.uint8))
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with scratch_folder(directory) as scratch:
        try:
            archive.write_out(scratch / "model", verbose=False)
        except tf.errors.OpError as error:
            raise OSError(f"{directory} cannot be written: {error.message}") from error
        return _rename_to_next_version(scratch / "model", directory)


def versions(directory):
    """Return the numbers of the versions in a model's base folder, smallest first.

    Args:
        directory: String or `Path`; need not exist.

    Returns:
        List of integers.
    """
    names = (path.name for path in Path(directory).glob("*") if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def write_models_config(directory):
    """Write `models.config`, which lists the models below a folder for TensorFlow Serving.

    Args:
        directory: String or `Path` of a folder whose subfolders are models' base folders.

    Returns:
        `Path` of the file; the base paths in it are absolute, as TensorFlow Serving demands.
    """
    directory = Path(directory).resolve()
    models = [path for path in sorted(directory.iterdir()) if path.is_dir() and versions(path)]
    with written_whole(directory / "models.config") as path:
        entries = "".join(_config_entry(model) for model in models)
        path.write_text(f"model_config_list {{\n{entries}}}\n", encoding="utf-8")
    return directory / "models.config"


def _config_entry(base_path):
    # A JSON string is a valid string of the protobuf text format.
    name, path = json.dumps(base_path.name), json.dumps(str(base_path), ensure_ascii=False)
    return (
        f'  config {{\n    name: {name}\n    base_path: {path}\n    model_platform: "tensorflow"\n'
        "  }\n"
    )


def _image_shape(model):
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    ranks = [len(shape) for shape in shapes]
    if ranks != [4, 2] and not (ranks[0] == 4 and isinstance(getattr(model, "output", None), dict)):
        raise InputError(
            "the model must have one input (N, height, width, channels) and one output "
            f"(N, classes), or outputs by name. Received: shapes {shapes}"
        )
    return shapes[0][1:]


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
