"""The pictures of a run, each drawn once, for its folder and for its report."""

import base64
from typing import NamedTuple

import numpy as np

from kerashw.model_names import colors_of
from kerashw.plots import drawing_process
from kerashw.plots.drawing_process import Figure

CSS_DOTS_PER_INCH = 96


class Picture(NamedTuple):
    """A picture, with what an `img` element needs.

    Args:
        png: Bytes.
        alt: String, the picture in words.
        width: Integer, in pixels of CSS, of which an inch has 96.
        height: Integer, likewise.
    """

    png: bytes
    alt: str
    width: int
    height: int

    @property
    def src(self):
        """The picture as a URL of the scheme `data`."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


class Pictures(NamedTuple):
    """The pictures of a run.

    Args:
        comparison: `Picture` of the models' test accuracies by epoch.
        models: Dictionary, a model's name → dictionary of its `Picture`s: `curves`, `confusion`,
            `mistakes`; `layers`, `None` if they form no chain; and `kernel`, `None` without a
            single kernel.
    """

    comparison: Picture
    models: dict


def draw_pictures(results, is_homework=True):
    """Draw the pictures of a run in another process.

    Args:
        results: List of `kerashw.train.results.Result`, at least one.
        is_homework: Boolean, whether the homework's numbers can be compared.

    Returns:
        `Pictures`.
    """
    colors = colors_of([result.name for result in results])
    figures = {(None, "comparison"): _comparison(results, is_homework)}
    for result in results:
        of_model = _figures(result, colors[result.name])
        figures |= {(result.name, kind): each for kind, each in of_model.items()}
    drawn = drawing_process.draw([figure for figure, _ in figures.values()])
    pictures = {
        key: picture(png, size, alt)
        for (key, (_, alt)), (png, size) in zip(figures.items(), drawn, strict=True)
    }
    models = {result.name: {"kernel": None, "layers": None} for result in results}
    for (name, kind), each in pictures.items():
        if name:
            models[name][kind] = each
    return Pictures(pictures[None, "comparison"], models)


def picture(png, size, alt):
    """Return a `Picture`, given its PNG file, its size in inches, and its description."""
    return Picture(png, alt, *(round(CSS_DOTS_PER_INCH * inches) for inches in size))


def _comparison(results, is_homework):
    """Return the figure and its description in words, as the next functions do."""
    histories = [result.history for result in results]
    figure = Figure("kerashw.plots.training_curves:comparison", (histories, is_homework))
    name = f"{results[0].evaluated_on}_accuracy"
    ends = [f"{result.title} {result.last[name]:.2%}" for result in results]
    quantity = name.replace("_", " ").capitalize()
    return figure, f"{quantity} by epoch. After the last one: {', '.join(ends)}."


def _figures(result, color):
    shown, classes = result.mistakes, result.classes
    arrays = (shown.images, shown.labels, shown.predictions, shown.confidences)
    curves = Figure("kerashw.plots.training_curves:learning_curves", (result.history, color))
    confusion = Figure(
        "kerashw.plots.confusion_matrix:confusion_matrix", (result.confusion, classes)
    )
    mistakes = Figure(
        "kerashw.plots.worst_mistakes:worst_mistakes", (*arrays, classes, shown.total)
    )
    figures = {
        "curves": (curves, _describe_curves(result)),
        "confusion": (confusion, _describe_confusion(result)),
        "mistakes": (mistakes, _describe_mistakes(result)),
    }
    if result.layers is not None:
        figure = Figure("kerashw.plots.layer_chain:layer_chain", (result.title, result.layers))
        figures["layers"] = figure, _describe_layers(result)
    if result.kernel is not None:
        kernel = Figure("kerashw.plots.diagonal_counts:kernel", (result.kernel,))
        figures["kernel"] = kernel, _describe_kernel(result)
    return figures


def _describe_curves(result):
    first, last, examples = result.first, result.last, result.evaluated_on
    loss, accuracy = f"{examples}_loss", f"{examples}_accuracy"
    parts = [
        f"train loss {first['train_loss']:.4f} → {last['train_loss']:.4f}",
        f"{examples} loss {first[loss]:.4f} → {last[loss]:.4f}",
        f"{examples} accuracy {first[accuracy]:.2%} → {last[accuracy]:.2%}",
    ]
    return f"{result.title} by epoch, first → last: {', '.join(parts)}."


def _describe_confusion(result):
    wrong = result.confusion * (1 - np.eye(len(result.classes), dtype=int))
    most = np.argsort(-wrong, axis=None, kind="stable")[:3]
    pairs = [pair for pair in zip(*np.unravel_index(most, wrong.shape), strict=True) if wrong[pair]]
    confused = [
        f"{result.classes[true]} taken for {result.classes[predicted]} "
        f"({wrong[true, predicted]:,} times)"
        for true, predicted in pairs
    ]
    often = f" Most often: {', '.join(confused)}." if confused else ""
    return f"Confusion matrix of the {result.title}: {wrong.sum():,} mistakes.{often}"


def _describe_mistakes(result):
    shown = result.mistakes
    named = [
        f"{result.classes[true]} taken for {result.classes[predicted]}"
        for true, predicted in zip(shown.labels, shown.predictions, strict=True)
    ]
    return f"The {result.title}'s surest mistakes: {', '.join(named) or 'none'}."


def _describe_layers(result):
    layers = [f"{row['text']}, shape {row['shape']}" for row in result.layers]
    return f"The layers of the {result.title}: {'; '.join(layers)}."


def _describe_kernel(result):
    rows = "; ".join(" ".join(f"{value:.2f}" for value in row) for row in result.kernel)
    return f"The kernel of the {result.title}, row by row: {rows}."
