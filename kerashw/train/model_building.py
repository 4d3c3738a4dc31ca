"""The models of a run, built and compiled: those of the homework, and functions of the user."""

import json
import re
import zipfile

import keras
import numpy as np

from kerashw import models, optimizers
from kerashw.errors import InputError, RunError
from kerashw.metrics import Accuracy
from kerashw.model_names import folder_name, is_function
from kerashw.train.model_function import call_function, describe_error, load_function
from kerashw.train.training_options import OPTIMIZERS

# Parts of a configuration that depend on the models built before: numbers in names, and identities.
_CHANGING = re.compile(r'_\d+(?=")|, "shared_object_id": \d+')


def build_model(settings, model, image_shape, num_classes):
    """Build a model, and compile it with the optimizer of a run.

    A function's model may be compiled: it keeps its loss, and its optimizer unless the run has one.

    Args:
        settings: `kerashw.train.settings.Settings`.
        model: String, a key of `kerashw.models.MODELS`, or a function.
        image_shape: Tuple (height, width, channels).
        num_classes: Integer.

    Returns:
        A built and compiled `keras.Model`.

    Raises:
        InputError: If the function cannot be imported, fails, or does not return a model of class
            probabilities.
    """
    seed, precision = settings.seed, settings.precision
    if not is_function(model):
        optimizer = _create_optimizer(settings)
        return models.compiled_model(model, seed, image_shape, num_classes, precision, optimizer)
    function = load_function(model)
    arguments = function, model, image_shape, num_classes
    built = models.build_model(call_function, seed, precision, *arguments)
    if not isinstance(built, keras.Model):
        raise InputError(
            f"--model {model} must return a keras.Model. Add a return statement, or correct it. "
            f"Received: {built!r:.80}"
        )
    outputs = _check_outputs(built, model, image_shape, num_classes)
    _compile(built, settings)
    _check_loss(built, model, image_shape, outputs)
    return built


def model_reader(settings, model, image_shape, num_classes):
    """Return a function that loads a saved model of a run, for `ModelFolder.load`.

    A function's model is built again, and gets the saved weights and the state of the optimizer. So
    it does not matter whether Keras can restore its layers from their configurations.

    Args:
        settings: As for `build_model`.
        model: As for `build_model`.
        image_shape: As for `build_model`.
        num_classes: As for `build_model`.

    Returns:
        Function of a `Path`; `None` for a model of this package, which Keras restores.
    """
    if not is_function(model):
        return None

    def read(path):
        built = build_model(settings, model, image_shape, num_classes)
        built.optimizer.build(built.trainable_variables)
        changed = RunError(
            f"--model {model} no longer builds the model that is saved in {path}. Restore the "
            "function, or choose another --output"
        )
        if _has_changed(built, path):
            raise changed
        try:
            built.load_weights(path)
        except ValueError as error:
            raise changed from error
        return built

    return read


def _has_changed(model, path):
    """Return whether the configuration of a model is not that of a saved model.

    Weights can fit although an activation has changed. Configurations of other versions of Keras,
    and of subclasses, which need not have one, are not compared.
    """
    if not isinstance(model, (keras.Function, keras.Sequential)):
        return False
    with zipfile.ZipFile(path) as saved:
        if "config.json" not in saved.namelist():  # a layer has none
            return False
        version = json.loads(saved.read("metadata.json"))["keras_version"]
        text = json.dumps(json.loads(saved.read("config.json"))["config"])
    built = json.dumps(json.loads(model.to_json())["config"])
    texts = {_CHANGING.sub("", each) for each in (text, built)}
    return version == keras.__version__ and len(texts) > 1


def as_functional(model, image_shape):
    """Return a model as a functional or Sequential model, which can be exported.

    Args:
        model: Built `keras.Model`.
        image_shape: Tuple (height, width, channels).

    Returns:
        The model itself, or a functional model that shares its weights: of the layers that `call`
        calls, so that they can be shown, or, if Keras cannot trace them, of the model as one layer.
    """
    is_graph = isinstance(model, (keras.Function, keras.Sequential))
    if is_graph and type(model).call.__module__.startswith("keras."):
        return model
    image = keras.Input(image_shape, name="image")
    try:
        outputs = model.call(image)
    except Exception:  # of any kind: it is the code of the user, such as a function of TensorFlow
        outputs = model(image, training=False)
    return keras.Model(image, outputs, name=model.name)


def _create_optimizer(settings):
    """Return the optimizer that a run asks for, or `None`."""
    if settings.optimizer is None and settings.learning_rate is None:
        return None
    create = getattr(optimizers, OPTIMIZERS[settings.optimizer or "adadelta"])
    rate = settings.learning_rate
    return create() if rate is None else create(learning_rate=rate)


def _check_outputs(built, model, image_shape, num_classes):
    """Return the outputs for two black images, probabilities of all classes."""
    try:
        outputs = built(np.zeros((2, *image_shape), "float32"), training=False)
        as_functional(built, image_shape)
    except Exception as error:  # of any kind: it is the code of the user
        raise InputError(
            f"--model {model} cannot be called with images of shape {image_shape}: "
            f"{describe_error(error)}"
        ) from error
    shape = tuple(getattr(outputs, "shape", ()))
    if shape != (2, num_classes):
        raise InputError(
            f"--model {model} must return probabilities of shape (N, {num_classes}), one for each "
            f"class. Received: {f'shape {(None, *shape[1:])}' if shape else type(outputs).__name__}"
        )
    numbers = keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))
    if numbers.min() < 0 or abs(numbers.sum(1) - 1).max() > 0.02:  # the error of bfloat16
        raise InputError(
            f"--model {model} must return probabilities, which add up to 1. End it with a softmax. "
            f"Received: {np.round(numbers[0], 3).tolist()} for a black image"
        )
    return outputs


def _compile(built, settings):
    optimizer = _create_optimizer(settings)
    if not built.compiled:
        models.compile_as_homework(built, optimizer)
        return
    if optimizer is not None and settings.optimizer is None:
        optimizer = built.optimizer
        optimizer.learning_rate = settings.learning_rate
    built.compile(
        built.optimizer if optimizer is None else optimizer,
        built.loss,
        metrics=[Accuracy()],
        run_eagerly=built.run_eagerly,
        jit_compile=built.jit_compile,
    )


def _check_loss(built, model, image_shape, outputs):
    """Check that a loss of the user's own takes the numbers of classes as labels."""
    images, labels = np.zeros((2, *image_shape), "float32"), np.zeros(2, "int64")
    try:
        built.compute_loss(images, labels, outputs, training=False)
    except Exception as error:  # of any kind: it is the code of the user
        raise InputError(
            f"--model {folder_name(model)}: its loss must take the numbers of the classes, as "
            "sparse_categorical_crossentropy does. Compile it with that loss, or not at all. "
            f"Received: {built.loss!r:.80}, {describe_error(error)}"
        ) from error
