"""The report of a run: one HTML file that needs no other file, no network and no JavaScript."""

import base64
import datetime
import io

import jinja2
import numpy as np

from kerashw.plots import diagonal_counts, training_curves
from kerashw.plots.confusion_matrix import confusion_matrix
from kerashw.plots.style import MODEL_COLORS
from kerashw.plots.worst_mistakes import worst_mistakes
from kerashw.train.results import is_homework_run

DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST"}
PACKAGES = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"}
CSS_DOTS_PER_INCH = 96


def report_html(results, manifest):
    """Return the report of a run as HTML.

    Args:
        results: List of `kerashw.train.results.Result`, at least one.
        manifest: Dict as in `manifest.json`. `configuration` is required; `command`, `started`,
            `finished`, `versions`, `data` and `device` are shown if they are there.

    Returns:
        String, a whole HTML document.

    Example:
        >>> from kerashw.train.results import evaluate_predictions
        >>> epoch = {"epoch": 1, "train_loss": 0.4, "test_loss": 0.3, "test_accuracy": 0.5}
        >>> history = {"model": "mlp", "parameters": 7, "epochs": [epoch | {"seconds": 1.5}]}
        >>> images, labels = np.zeros((2, 28, 28), "uint8"), np.array([0, 1])
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
        >>> result = evaluate_predictions(history, probabilities, images, labels, ("a", "b"))
        >>> page = report_html([result], {"configuration": {"dataset": "mnist", "epochs": 1}})
        >>> "<td>50.00 %</td>" in page, "://" in page
        (True, False)
    """
    configuration = manifest["configuration"]
    dataset = _dataset(configuration)
    titles = enumeration([result.title for result in results])
    epochs = {result.last["epoch"] for result in results}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerashw.train", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report_template.html").render(
        title=f"{titles[0].upper()}{titles[1:]} on {dataset}",
        sentences=_sentences(manifest),
        models=[(result, MODEL_COLORS.get(result.name), _pictures(result)) for result in results],
        epochs=epochs.pop() if len(epochs) == 1 else None,
        comparison=_comparison(results, headline=is_homework_run(configuration)),
        homework=is_homework_run(configuration) and any(result.homework for result in results),
        command=manifest.get("command"),
        versions=manifest.get("versions", {}),
        data=manifest.get("data"),
    )


def enumeration(words):
    """Join words with commas and a final "and".

    Args:
        words: List of strings, at least one.

    Returns:
        String.

    Example:
        >>> enumeration(["MLP"]), enumeration(["softmax regression", "MLP", "ConvNet"])
        ('MLP', 'softmax regression, MLP and ConvNet')
    """
    return " and ".join([part for part in (", ".join(words[:-1]), words[-1]) if part])


def duration(started, finished):
    """Return the time between two moments as text.

    Args:
        started: String, a moment in ISO 8601.
        finished: String, a later moment in ISO 8601.

    Returns:
        String.

    Example:
        >>> duration("2026-01-31T23:59:30+00:00", "2026-02-01T00:03:00+00:00")
        '3 min 30 s'
        >>> duration("2026-01-31T20:00", "2026-01-31T22:30")
        '2 h 30 min'
    """
    parse = datetime.datetime.fromisoformat
    minutes, seconds = divmod(round((parse(finished) - parse(started)).total_seconds()), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _dataset(configuration):
    name = configuration["dataset"].partition(":")[0]
    return DATASETS.get(name, name)


def _sentences(manifest):
    """Return one sentence about the settings, and one about time, machine and versions."""
    configuration = manifest["configuration"]
    count = configuration["epochs"]
    what = [f"{count} epoch{'s' if count != 1 else ''} on {_dataset(configuration)}"]
    for name, words in (
        ("train_examples", "the first {:,} training images"),
        ("test_examples", "the first {:,} test images"),
        ("batch_size", "batch size {:,}"),
        ("seed", "seed {}"),
        ("precision", "precision {}"),
    ):
        if configuration.get(name) is not None:
            what.append(words.format(configuration[name]))
    if configuration.get("deterministic"):
        what.append("deterministic")
    how = [words for words in (_when(manifest), _where(manifest), _with(manifest)) if words]
    return [", ".join(what) + "."] + ([f"Trained {', '.join(how)}."] if how else [])


def _when(manifest):
    started, finished = manifest.get("started"), manifest.get("finished")
    if not started:
        return ""
    moment = datetime.datetime.fromisoformat(started)
    words = f"on {moment:%Y-%m-%d} at {moment:%H:%M %Z}".strip()
    # ISO 8601 in UTC sorts by time. A clock that was set back during the run tells no duration.
    return (
        f"{words} in {duration(started, finished)}" if finished and finished >= started else words
    )


def _where(manifest):
    device = manifest.get("device", {})
    cores = f"{device['cores']} cores" if device.get("cores") else None
    parts = [*device.get("devices", []), device.get("cpu"), cores]
    return f"on {', '.join(filter(None, parts))}" if any(parts) else ""


def _with(manifest):
    versions = manifest.get("versions", {})
    named = [f"{PACKAGES.get(name, name)} {version}" for name, version in versions.items()]
    return f"with {enumeration(named)}" if named else ""


def _comparison(results, headline):
    ends = [f"{result.title} {result.last['test_accuracy']:.2%}" for result in results]
    alt = f"Test accuracy by epoch. After the last one: {', '.join(ends)}."
    return _picture(training_curves.comparison([r.history for r in results], headline), alt)


def _pictures(result):
    return {
        "curves": _picture(
            training_curves.learning_curves(result.history), _describe_curves(result)
        ),
        "confusion": _picture(
            confusion_matrix(result.confusion, result.classes), _describe_confusion(result)
        ),
        "mistakes": _picture(_worst_mistakes(result), _describe_mistakes(result)),
        "kernel": None if result.kernel is None else _kernel(result),
    }


def _worst_mistakes(result):
    shown = result.mistakes
    arrays = (shown.images, shown.labels, shown.predictions, shown.confidences)
    return worst_mistakes(*arrays, result.classes, shown.total)


def _kernel(result):
    rows = "; ".join(" ".join(f"{value:.2f}" for value in row) for row in result.kernel)
    alt = f"The kernel of the {result.title}, row by row: {rows}."
    return _picture(diagonal_counts.kernel(result.kernel), alt)


def _picture(figure, alt):
    """Return the attributes of an `img` element of the figure's size in inches."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi="figure", metadata={"Software": None})
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    width, height = (round(CSS_DOTS_PER_INCH * inches) for inches in figure.get_size_inches())
    return {"src": source, "alt": alt, "width": width, "height": height}


def _describe_curves(result):
    first, last = result.first, result.last
    parts = [
        f"train loss {first['train_loss']:.4f} → {last['train_loss']:.4f}",
        f"test loss {first['test_loss']:.4f} → {last['test_loss']:.4f}",
        f"test accuracy {first['test_accuracy']:.2%} → {last['test_accuracy']:.2%}",
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
