"""One run: load the data, then train, evaluate, save and export each model, then report.

With several workers each process executes `run`. All of them train; the chief alone has a folder
on disk, evaluates the trained models and writes the results.
"""

import contextlib
import dataclasses
import functools
import time
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from kerashw import distribution
from kerashw.datasets.loading import load
from kerashw.environment import environment
from kerashw.errors import InputError
from kerashw.export import (
    export_epochs,
    export_question_model,
    export_saved_model,
    write_models_config,
)
from kerashw.files import atomic_write
from kerashw.fitting.lost_workers import worker_loss_as_error
from kerashw.hypotheses import collapse_model
from kerashw.model_names import QUESTION_MODELS, folder_name, is_function
from kerashw.plots.model_layers import layer_rows
from kerashw.train import worker_agreement
from kerashw.train.model_building import as_functional, build_model
from kerashw.train.model_training import evaluate_fixed_model, predict_test_set, train_model
from kerashw.train.observer import Observer
from kerashw.train.pictures import draw_pictures
from kerashw.train.report import report_html
from kerashw.train.results import evaluate_predictions, is_homework_run, single_kernel
from kerashw.train.run_folder import DiscardedFolder, RunFolder, new_manifest, now


@dataclasses.dataclass(frozen=True)
class Run:
    """What the models of a run share.

    Args:
        settings: `kerashw.train.settings.Settings`.
        data: `kerashw.datasets.image_dataset.ImageDataset`; `None` if no model needs it.
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
    memory=None,
):
    """Train, evaluate, draw and export the models, or resume an interrupted run.

    Args:
        settings: `kerashw.train.settings.Settings`.
        output: String or `Path` of the run's folder.
        data_dir: As in `kerashw.datasets.loading.load`.
        observer: `Observer`, to show the progress.
        command: String, the command line, for the manifest.
        tensorboard: Boolean; whether to write TensorBoard logs into the models' folders.
        choice: `kerashw.distribution.StrategyChoice`; by default `choose_strategy()`.
        timeout: Float, the longest time in seconds to wait for other workers.
        memory: As in `kerashw.datasets.loading.load`. It does not change the results.

    Returns:
        List of `kerashw.train.results.Result`, one a model that is trained or tested, empty on a
        worker that is not the chief; `None` if the run was complete already.

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
    data, seconds = _load_data(settings, data_dir, memory, observer)
    _check_functions(settings, data, strategy)
    folder.record_origin(data, seconds, distribution.describe(choice, strategy), environment())
    this = Run(settings, data, folder, strategy, observer, tensorboard)
    results, drawing = [], None
    # The pictures are drawn while the last model is exported.
    with worker_loss_as_error(strategy), folder.opened(), ThreadPoolExecutor(1) as executor:
        for name in settings.classifiers:
            trained = folder.model(folder_name(name)).complete
            get_model = evaluate_fixed_model if name == "diagonal" else train_model
            model, history = get_model(this, name)
            if choice.is_chief:
                results.append(_evaluate(this, model, history))
                if len(results) == len(settings.classifiers):
                    is_homework = is_homework_run(settings.configuration())
                    drawing = executor.submit(draw_pictures, list(results), is_homework)
                _finish_model(this, name, model, history, trained)
        if choice.is_chief:
            for name in settings.models:
                if name in QUESTION_MODELS:
                    _export_question_model(this, name)
            _finish(folder, results, drawing and drawing.result())
        # A worker that ended before the chief has written everything could not resume with it.
        distribution.broadcast(strategy, b"")
    observer.on_run_end(folder, results)
    return results


def _load_data(settings, data_dir, memory, observer):
    """Return the data set, cut to the numbers of examples in the settings, and the seconds."""
    started = time.perf_counter()
    if not settings.classifiers:
        return None, 0
    observer.on_data_load(settings.dataset)
    data = load(
        settings.dataset,
        data_dir,
        settings.image_size,
        settings.test_share,
        settings.seed,
        settings.skip_damaged,
        memory,
    )
    for split, wanted in (("train", settings.train_examples), ("test", settings.test_examples)):
        available = len(getattr(data, f"{split}_images"))
        if (wanted or 0) > available:
            raise InputError(
                f"{split}_examples must be at most {available}, all that {data.name} has. "
                f"Received: {wanted}"
            )
    data = data.first(settings.train_examples, settings.test_examples)
    if settings.validation_share:
        data = data.hold_out(settings.validation_share, settings.seed)
    return data, round(time.perf_counter() - started, 3)


def _check_functions(settings, data, strategy):
    """Build the models of the user's functions, before a model is trained or a folder is made."""
    with strategy.scope():
        for name in filter(is_function, settings.classifiers):
            build_model(settings, name, data.image_shape, len(data.classes))


def _evaluate(run, model, history):
    """Return a model's `Result`."""
    data = run.data
    result = evaluate_predictions(
        history,
        predict_test_set(model, data),
        data.test_images,
        data.test_labels,
        data.classes,
        single_kernel(model),
    )
    with contextlib.suppress(InputError):  # layers that form no chain have no diagram
        layers = layer_rows(as_functional(model, data.image_shape))
        result = dataclasses.replace(result, layers=layers)
    if result.evaluated_on == "validation":
        history["test"] = {"loss": result.test_loss, "accuracy": result.test_accuracy}
        run.folder.model(result.name).write_history(history)
    return result


def _finish_model(run, model_name, model, history, trained):
    """Export a model, unless it was `trained` and exported before, and record its time."""
    name, folder = history["model"], run.folder
    if not (trained and folder.exported(name)):
        convert = collapse_model
        if is_function(model_name):
            convert = functools.partial(as_functional, image_shape=run.data.image_shape)
        _export(run, model, history, convert)
    folder.model(name).delete_kept_epochs()
    seconds = sum(epoch["seconds"] for epoch in history["epochs"])
    folder.manifest["seconds"][name] = round(seconds, 3)
    folder.write_manifest()


def _export(run, model, history, convert):
    """Export a converted model, with the models of its earlier epochs if these were kept."""
    folder = run.folder.model(history["model"])
    directory = run.folder.exports / history["model"]
    exported, epochs = convert(model), history["epochs"]
    # A model that was trained on files as they are gets them as they are.
    labels, centers = run.data.classes, False if run.data.are_files else None
    if folder.has_kept_epochs:
        kept = folder.load_kept_epochs(len(epochs))
        weights = _converted_weights(model, kept, convert)
        export_epochs(exported, weights, directory, labels, epochs=epochs, centers_digits=centers)
    else:
        export_saved_model(exported, directory, labels, epochs, centers)


def _converted_weights(model, kept, convert):
    trained = model.get_weights()
    for weights in kept:
        model.set_weights(weights)
        yield convert(model).get_weights()
    model.set_weights(trained)


def _export_question_model(run, name):
    """Export a model of Question 1 or 2, unless a run before has exported it."""
    if not run.folder.exported(name):
        export_question_model(name, run.folder.exports / name)
    run.observer.on_export(name)


def _finish(folder, results, pictures):
    write_models_config(folder.exports)
    folder.manifest["finished"] = folder.manifest["finished"] or now()
    if results:
        _write_pictures_and_report(folder, results, pictures)
    folder.write_manifest()


def _write_pictures_and_report(folder, results, pictures):
    for result in results:
        _write(folder.path / result.name / "curves.png", pictures.models[result.name]["curves"].png)
        folder.model(result.name).write_table(result.history)
    _write(folder.path / "comparison.png", pictures.comparison.png)
    report = report_html(results, pictures, folder.manifest)
    _write(folder.path / "report.html", report.encode())


def _write(path, content):
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _check_tensorboard():
    try:
        import tensorboard  # noqa: F401 - TensorFlow finds out only after the first steps
    except ImportError as error:
        raise InputError(
            "TensorBoard logs need the package tensorboard, which is not installed. "
            "Install it: pip install '.[tensorboard]'"
        ) from error
