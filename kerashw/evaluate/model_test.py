"""The test of a saved model: its data set, its result, and their table and pictures."""

from pathlib import Path

import numpy as np

from kerashw.datasets.loading import load
from kerashw.errors import InputError
from kerashw.files import atomic_write
from kerashw.plots import drawing_process
from kerashw.plots.drawing_process import Figure
from kerashw.predict.saved_classifier import SavedClassifier
from kerashw.tables import ResultTable
from kerashw.train.results import evaluate_predictions
from kerashw.train.summary_table import percent


def test_model(found, options, memory=None):
    """Test a saved model.

    Args:
        found: `kerashw.predict.model_search.FoundModel`.
        options: The options of the command.
        memory: As in `kerashw.datasets.loading.load`.

    Returns:
        `kerashw.train.results.Result`.

    Raises:
        DataError: If the data set cannot be loaded.
        InputError: If the model cannot be loaded, or the data set does not fit it.
    """
    model = SavedClassifier(found)
    data = _load(found.configuration, options, model.image_shape[:2], memory)
    if data.image_shape != model.image_shape:
        raise InputError(
            f"the model takes images of shape {model.image_shape}. Choose another data set. "
            f"Received: {data.name} with images of shape {data.image_shape}"
        )
    unknown = [name for name in data.classes if name not in model.labels]
    if unknown:
        raise InputError(
            f"the classes of the data set must be those of the model, {_some(model.labels)}. "
            f"Choose another data set. Received: {_some(unknown)}"
        )
    images, labels = data.test_images, data.test_labels
    if options.test_examples is not None:
        if not 0 < options.test_examples <= len(images):
            raise InputError(
                f"test_examples must be at least 1 and at most {len(images)}. "
                f"Received: {options.test_examples}"
            )
        images, labels = images[: options.test_examples], labels[: options.test_examples]
    numbers = np.array([model.labels.index(name) for name in data.classes])
    history = {"model": found.name, "epochs": []}
    probabilities = model.predict_pixels(images)
    return evaluate_predictions(history, probabilities, images, numbers[labels], model.labels)


test_model.__test__ = False  # for pytest


def print_result(result, console):
    """Print the table of a model, and that of its classes.

    Args:
        result: `kerashw.train.results.Result`.
        console: `rich.console.Console`.
    """
    counts = result.confusion.sum(axis=1)
    accuracy = np.trace(result.confusion) / counts.sum()
    row = (result.title, f"{counts.sum():,}", f"{result.test_loss:.4f}", percent(accuracy))
    console.print(ResultTable(["model", "test images", "test loss", "test accuracy"], [row]))
    rows = []
    for number in np.flatnonzero(counts):
        right = result.confusion[number, number]
        wrong = result.confusion[number] * (np.arange(len(counts)) != number)
        most = f"{result.classes[wrong.argmax()]}, in {wrong.max():,}" if wrong.any() else "–"
        name, share = result.classes[number], percent(right / counts[number])
        rows.append((name, f"{counts[number]:,}", share, most))
    headings = ["class", "test images", "correct", "most often taken for"]
    console.print(ResultTable(headings, rows, left=headings[-1:]))


def write_pictures(result, folder, console):
    """Draw the confusion matrix and the surest mistakes into a folder.

    Args:
        result: `kerashw.train.results.Result`.
        folder: String, the path of the folder.
        console: `rich.console.Console`, to print the paths.
    """
    shown = result.mistakes
    mistakes = shown.images, shown.labels, shown.predictions, shown.confidences
    drawn = drawing_process.draw(
        [
            Figure(
                "kerashw.plots.confusion_matrix:confusion_matrix",
                (result.confusion, result.classes),
            ),
            Figure(
                "kerashw.plots.worst_mistakes:worst_mistakes",
                (*mistakes, result.classes, shown.total),
            ),
        ]
    )
    for name, (png, _) in zip(("confusion", "mistakes"), drawn, strict=True):
        file = Path(folder) / f"{name}.png"
        with atomic_write(file) as path:
            path.write_bytes(png)
        console.print(f"{name:11}{file}", soft_wrap=True, highlight=False)


def _load(configuration, options, size, memory):
    """Load the data set of the options, or that of the model's run, in the model's size."""
    name = options.dataset or configuration["dataset"]
    is_of_run = name == configuration.get("dataset")
    share, seed = options.test_share, options.seed
    arguments = (
        configuration.get("test_share", 0.2) if share is None else share,
        configuration.get("seed", 0) if seed is None else seed,
        options.skip_damaged or (is_of_run and configuration.get("skip_damaged", False)),
        memory,
    )
    if is_of_run:
        own = configuration.get("image_size")
        return load(name, options.data_dir, own and tuple(own), *arguments)
    if Path(name).exists():  # pictures of any size
        return load(name, options.data_dir, size, *arguments)
    data = load(name, options.data_dir, None, *arguments)
    return data if data.image_shape[:2] == size else load(name, options.data_dir, size, *arguments)


def _some(names):
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
