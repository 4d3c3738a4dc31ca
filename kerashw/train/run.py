"""One run: load the data, then train, evaluate, save and export each model, then report.

With several workers each process executes `run`. All of them train; the chief alone has a folder
on disk, evaluates the trained models and writes the results.
"""

import dataclasses
import time

import tensorflow as tf

from kerashw import distribution
from kerashw.datasets import diagonals, mnist
from kerashw.environment import environment
from kerashw.errors import InputError
from kerashw.export import export_saved_model, write_models_config
from kerashw.files import atomic_write
from kerashw.fitting.lost_workers import worker_loss_as_error
from kerashw.hypotheses import collapse_model
from kerashw.models import MODELS
from kerashw.plots.training_curves import comparison, learning_curves
from kerashw.train import worker_agreement
from kerashw.train.model_training import evaluate_fixed_model, predict_test_set, train_model
from kerashw.train.observer import Observer
from kerashw.train.report import report_html
from kerashw.train.results import evaluate_predictions, is_homework_run, single_kernel
from kerashw.train.run_folder import DiscardedFolder, RunFolder, new_manifest, now


@dataclasses.dataclass(frozen=True)
class Run:
    """What the models of a run share.

    Args:
        settings: `kerashw.train.settings.Settings`.
        data: `kerashw.datasets.mnist.ImageDataset`.
        folder: `RunFolder` on the chief, `DiscardedFolder` on the other workers.
        strategy: `tf.distribute.Strategy`.
        observer: `Observer`.
        tensorboard: Boolean; whether to write TensorBoard logs into the models' folders.
    """

    settings: object
    data: object
    folder: object
    strategy: object
    observer: Observer
    tensorboard: bool = False


def run(
    settings,
    output,
    data_dir=None,
    observer=None,
    command="",
    tensorboard=False,
    choice=None,
    timeout=distribution.TIMEOUT,
):
    """Train, evaluate, draw and export the models, or resume an interrupted run.

    Args:
        settings: `kerashw.train.settings.Settings`.
        output: String or `Path` of the run's folder.
        data_dir: As in `kerashw.datasets.mnist.load`.
        observer: `Observer`, to show the progress.
        command: String, the command line, for the manifest.
        tensorboard: Boolean; whether to write TensorBoard logs into the models' folders.
        choice: `kerashw.distribution.StrategyChoice`; by default `choose_strategy()`.
        timeout: Float, the longest time in seconds to wait for other workers.

    Returns:
        List of `kerashw.train.results.Result`, one a model, empty on a worker that is not the
        chief; `None` if the run was complete already.

    Raises:
        RunError: If the folder cannot be used, or a model or a history in it is damaged or, of a
            complete run, missing.
        DataError: If the data set cannot be loaded.
        InputError: If the settings ask for more examples than there are, TensorBoard is not
            installed, or the workers were started with different settings.
        WorkerError: If another worker cannot be reached or was lost.

    Example:
        >>> import tempfile
        >>> from kerashw.train.settings import Settings
        >>> settings = Settings(models=("softmax",), epochs=1, train_examples=1000)
        >>> result, = run(settings, tempfile.mkdtemp())
        >>> result.last["test_accuracy"] > 0.5
        True
    """
    observer = observer or Observer()
    choice = choice or distribution.choose_strategy()
    if tensorboard:
        _check_tensorboard()
    manifest = new_manifest(settings, command, choice)
    folder = RunFolder(output, manifest) if choice.is_chief else DiscardedFolder(manifest)
    if worker_agreement.is_complete(folder, settings, choice, observer, timeout):
        return None
    strategy = choice.create_strategy(timeout)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    data, seconds = _load_data(settings, data_dir, observer)
    folder.record_origin(data, seconds, distribution.describe(choice, strategy), environment())
    this = Run(settings, data, folder, strategy, observer, tensorboard)
    results = []
    with worker_loss_as_error(strategy), folder.opened():
        for name in settings.models:
            trained = folder.model(name).complete
            model, history = (train_model if name in MODELS else evaluate_fixed_model)(this, name)
            if choice.is_chief:
                results.append(_evaluate_and_export(this, model, history, trained))
        if choice.is_chief:
            _write_pictures_and_report(folder, results)
        # A worker that ended before the chief has written everything could not resume with it.
        distribution.broadcast(strategy, b"")
    observer.on_run_end(folder, results)
    return results


def _load_data(settings, data_dir, observer):
    """Return the data set, cut to the numbers of examples in the settings, and the seconds."""
    started = time.perf_counter()
    observer.on_data_load(settings.dataset)
    if settings.dataset in diagonals.NOISE:
        data = diagonals.load(settings.dataset)
    else:
        data = mnist.load(settings.dataset, data_dir)
    for split, wanted in (("train", settings.train_examples), ("test", settings.test_examples)):
        available = len(getattr(data, f"{split}_images"))
        if (wanted or 0) > available:
            raise InputError(
                f"{split}_examples must be at most {available}, all that {data.name} has. "
                f"Received: {wanted}"
            )
    data = data.first(settings.train_examples, settings.test_examples)
    return data, round(time.perf_counter() - started, 3)


def _evaluate_and_export(run, model, history, trained):
    """Return a model's `Result`; export the model, unless it was `trained` and exported before."""
    name, data, folder = history["model"], run.data, run.folder
    probabilities = predict_test_set(model, data)
    result = evaluate_predictions(
        history,
        probabilities,
        data.test_images,
        data.test_labels,
        data.classes,
        single_kernel(model),
    )
    if not (trained and folder.exported(name)):
        export_saved_model(collapse_model(model), folder.exports / name, data.classes)
    seconds = sum(epoch["seconds"] for epoch in history["epochs"])
    folder.manifest["seconds"][name] = round(seconds, 3)
    folder.write_manifest()
    return result


def _write_pictures_and_report(folder, results):
    for result in results:
        _save(learning_curves(result.history), folder.path / result.name / "curves.png")
        folder.model(result.name).write_table(result.history)
    histories = [result.history for result in results]
    is_homework = is_homework_run(folder.manifest["configuration"])
    _save(comparison(histories, is_homework), folder.path / "comparison.png")
    write_models_config(folder.exports)
    folder.manifest["finished"] = folder.manifest["finished"] or now()
    with atomic_write(folder.path / "report.html") as path:
        path.write_text(report_html(results, folder.manifest), encoding="utf-8")
    folder.write_manifest()


def _save(figure, path):
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi="figure")


def _check_tensorboard():
    try:
        import tensorboard  # noqa: F401 - TensorFlow finds out only after the first steps
    except ImportError as error:
        raise InputError(
            "TensorBoard logs need the package tensorboard, which is not installed. "
            "Install it: pip install '.[tensorboard]'"
        ) from error
