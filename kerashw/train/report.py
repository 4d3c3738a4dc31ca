"""The report of a run: one HTML file that needs no other file, no network and no JavaScript."""

import datetime

import jinja2

from kerashw.histories import evaluated_on
from kerashw.model_names import colors_of
from kerashw.train.results import is_homework_run

DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST"}
PACKAGES = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"}


def report_html(results, pictures, manifest):
    """Return the report of a run as HTML.

    Args:
        results: List of `kerashw.train.results.Result`, at least one.
        pictures: Their pictures, from `kerashw.train.pictures.draw_pictures`.
        manifest: Dict as in `manifest.json`. `configuration` is required; `command`, `started`,
            `finished`, `versions`, `data` and `device` are shown if they are there.

    Returns:
        String, a whole HTML document.

    Example:
        >>> import numpy as np
        >>> from kerashw.train.pictures import draw_pictures
        >>> from kerashw.train.results import evaluate_predictions
        >>> epoch = {"epoch": 1, "train_loss": 0.4, "test_loss": 0.3, "test_accuracy": 0.5}
        >>> history = {"model": "mlp", "parameters": 7, "epochs": [epoch | {"seconds": 1.5}]}
        >>> images, labels = np.zeros((2, 28, 28), "uint8"), np.array([0, 1])
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
        >>> result = evaluate_predictions(history, probabilities, images, labels, ("a", "b"))
        >>> manifest = {"configuration": {"dataset": "mnist", "epochs": 1}}
        >>> page = report_html([result], draw_pictures([result]), manifest)
        >>> "<td>50.00 %</td>" in page, "://" in page
        (True, False)
    """
    configuration = manifest["configuration"]
    epochs = {result.last["epoch"] for result in results}
    colors = colors_of([result.name for result in results])
    return _template("report_template.html").render(
        title=_title(results, configuration),
        sentences=_sentences(manifest),
        models=[(result, colors[result.name], pictures.models[result.name]) for result in results],
        epochs=epochs.pop() if len(epochs) == 1 else None,
        comparison=pictures.comparison,
        examples=results[0].evaluated_on,
        homework=is_homework_run(configuration) and any(result.homework for result in results),
        command=manifest.get("command"),
        versions=manifest.get("versions", {}),
        data=manifest.get("data"),
    )


def seeds_report_html(results, comparison, links, configuration, command):
    """Return the report of several seeds as HTML.

    Args:
        results: List of `kerashw.train.several_seeds.SeedsResult`, at least one.
        comparison: `kerashw.train.pictures.Picture`.
        links: Dict of the URLs of the runs' own reports, by seed.
        configuration: Dict as in `manifest.json`.
        command: String, the command line.

    Returns:
        String, a whole HTML document.
    """
    return _template("seeds_report_template.html").render(
        title=_title(results, configuration),
        sentence=_settings_sentence(configuration),
        results=results,
        examples=evaluated_on(results[0].histories[0]),
        colors=colors_of([result.name for result in results]),
        comparison=comparison,
        links=links,
        command=command,
    )


def _template(name):
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerashw.train", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _title(results, configuration):
    titles = enumeration([result.title for result in results])
    return f"{titles[0].upper()}{titles[1:]} on {_dataset(configuration)}"


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
    how = [words for words in (_when(manifest), _where(manifest), _with(manifest)) if words]
    settings = _settings_sentence(manifest["configuration"])
    return [settings] + ([f"Trained {', '.join(how)}."] if how else [])


def _settings_sentence(configuration):
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
    if configuration.get("image_size"):
        what.append("images scaled to {}×{}".format(*configuration["image_size"]))
    what += training_words(configuration)
    if configuration.get("deterministic"):
        what.append("deterministic")
    return ", ".join(what) + "."


def training_words(configuration):
    """Return the options of a run's training in words, those that are not the homework's.

    Args:
        configuration: Dict as in `manifest.json`.

    Returns:
        List of strings.

    Example:
        >>> training_words({"optimizer": "adam", "augment": ["flip", "shift"]})
        ['optimizer adam', 'augmented by flip and shift']
    """
    words = {
        "optimizer": "optimizer {}",
        "learning_rate": "learning rate {:g}",
        "validation_share": "{:.0%} of the training images held out for validation",
        "early_stopping": "stopped after {} epochs without a smaller validation loss",
        "class_weight": "class weights {}",
    }
    found = [
        text.format(configuration[name]) for name, text in words.items() if configuration.get(name)
    ]
    if configuration.get("augment"):
        found.append(f"augmented by {enumeration(configuration['augment'])}")
    return found


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
