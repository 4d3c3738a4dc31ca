"""The accuracy of the models on photographs of digits; see `kerashw.benchmark.synthetic_photos`."""

import numpy as np
import tensorflow as tf

from kerashw.benchmark.result_table import Table
from kerashw.benchmark.synthetic_photos import KINDS, photographs
from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.files import atomic_write
from kerashw.fitting import fit, predict
from kerashw.model_names import TITLES
from kerashw.models import TEST_BATCH_SIZE, compiled_model
from kerashw.preprocessing import center_digits

# The name of a model → the epochs that it is trained for.
EPOCHS = {"softmax": 3, "mlp": 2, "convnet": 1}
PHOTOS_PER_KIND = 100
BATCH_SIZE = 128
SAMPLES = 6  # photographs of each kind in the figure


def measure(setup):
    """Train the models on MNIST, and measure their accuracy on photographs of each kind.

    All kinds show the first `PHOTOS_PER_KIND` digits of the test data. The photographs are drawn if
    `setup.figures` is set.

    Args:
        setup: `kerashw.benchmark.topic_runner.Setup`.

    Yields:
        `Table`, one row per kind, in percent.
    """
    data = mnist.load(data_dir=setup.data_dir)
    models = {name: train(name, data, setup.progress) for name in EPOCHS}
    originals, labels = data.test_images[:PHOTOS_PER_KIND], data.test_labels[:PHOTOS_PER_KIND]
    files, digits, has_digit = make_and_center(originals, setup.progress)
    # One prediction for all kinds, because each one traces a graph.
    images = np.stack([originals, *digits.values()])
    is_digit = np.stack([np.ones(len(originals), bool), *has_digit.values()])
    is_correct = {
        name: is_digit & (predict_classes(model, images) == labels)
        for name, model in models.items()
    }
    yield table(is_correct)
    if setup.figures:
        _draw_samples(setup.figures / "photos.png", files, digits)


def train(name, data, progress):
    """Train a model with the settings of the homework, and return it.

    Args:
        name: String, a key of `EPOCHS`.
        data: `kerashw.datasets.image_dataset.ImageDataset`.
        progress: Function of a string that describes the current step.

    Returns:
        `keras.Model`.
    """
    progress(f"training, {TITLES[name]}")
    model = compiled_model(name, 0, (28, 28, 1), len(data.classes))
    batches = Batches(data.train_images, data.train_labels, BATCH_SIZE, seed=0)
    fit(model, batches, epochs=EPOCHS[name], verbose=0)
    return model


def make_and_center(originals, progress):
    """Make photographs of each kind, and centre the digits in them.

    Args:
        originals: uint8 array (N, 28, 28), images of MNIST.
        progress: Function of a string that describes the current step.

    Returns:
        Three dicts by kind: the photographs, lists of N bytes objects; the centred digits, uint8
        arrays (N, 28, 28); and whether a digit is found, bool arrays (N,).
    """
    files, digits, has_digit = {}, {}, {}
    for kind in KINDS:
        progress(f"{len(originals)} photographs, {kind}")
        files[kind] = photographs(originals, kind)
        digits[kind], has_digit[kind] = center_each(files[kind])
    return files, digits, has_digit


def center_each(files):
    """Centre the digits of photographs one by one, so that one without a digit stops no other.

    Args:
        files: List of N bytes objects.

    Returns:
        uint8 array (N, 28, 28), zeros where no digit is found, and bool array (N,), whether one is.
    """
    digits, has_digit = np.zeros((len(files), 28, 28), "uint8"), np.ones(len(files), bool)
    for number, file in enumerate(files):
        try:
            digits[number] = center_digits([file])[0]
        except tf.errors.InvalidArgumentError:
            has_digit[number] = False
    return digits, has_digit


def predict_classes(model, images):
    """Return the class of each image.

    Args:
        model: `keras.Model` with ten classes.
        images: uint8 array (…, 28, 28).

    Returns:
        Integer array (…).
    """
    examples = images.reshape(-1, *images.shape[-2:])
    batches = Batches(examples, np.zeros(len(examples), int), TEST_BATCH_SIZE)
    return predict(model, batches).argmax(1).reshape(images.shape[:-2])


def table(is_correct):
    """Return the table of correct predictions in percent.

    Args:
        is_correct: Dict, name of a model → bool array (kinds + 1, N): for the N digits without a
            photograph, and for their photographs of each kind in the order of `KINDS`.

    Returns:
        `Table`. The last row has the means of all kinds of photographs.

    Example:
        >>> ones = np.ones((len(KINDS) + 1, 50), bool)
        >>> table({"mlp": ones}).formatted_rows()[-1]
        ('all', '100.0')
    """
    names = ("no photograph", *KINDS)
    percentages = {name: 100 * correct.mean(1) for name, correct in is_correct.items()}
    columns = [one.tolist() for one in percentages.values()]
    rows = list(zip(names, *columns, strict=True))
    rows.append(("all", *(float(one[1:].mean()) for one in percentages.values())))
    digits = next(iter(is_correct.values())).shape[1]
    title = f"Correct digits in percent, {digits} photographs of each kind"
    headings = ("kind", *(TITLES[name] for name in is_correct))
    return Table(title, headings, rows, ("{}", *["{:.1f}"] * len(is_correct)))


def _draw_samples(path, files, digits):
    from kerashw.plots.photo_samples import photo_samples

    photos = {
        kind: np.stack([tf.io.decode_jpeg(file).numpy() for file in some[:SAMPLES]])
        for kind, some in files.items()
    }
    digits = {kind: some[:SAMPLES] for kind, some in digits.items()}
    with atomic_write(path) as temporary_path:
        photo_samples(photos, digits).savefig(temporary_path, dpi="figure")
