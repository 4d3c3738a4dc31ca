"""One run: the data, the models, their training, and what is left to look at and to serve."""

import contextlib
import datetime
import time

import keras
import tensorflow as tf

from kerashw import distribution
from kerashw.datasets import diagonals, mnist
from kerashw.datasets.pipeline import Batches
from kerashw.environment import environment
from kerashw.errors import InputError
from kerashw.export import export_saved_model, write_models_config
from kerashw.files import written_whole
from kerashw.fitting import ReseedDropout, evaluate, fit, predict, replica_step
from kerashw.fitting.lost_workers import worker_count, worker_loss_as_error
from kerashw.hypotheses import collapse_model
from kerashw.models import (
    MODELS,
    TEST_BATCH_SIZE,
    compile_as_homework,
    compiled_model,
    diagonal_classifier,
)
from kerashw.plots.training_curves import comparison, learning_curves
from kerashw.train import results, worker_agreement
from kerashw.train.observer import Observer
from kerashw.train.report import report_html
from kerashw.train.run_folder import RunFolder


def run(
    settings,
    output,
    data_dir=None,
    observer=None,
    command="",
    tensorboard=False,
    plan=None,
    timeout=distribution.TIMEOUT,
):
    """Train, test, draw and export the models, or go on where an interrupted run stopped.

    With several workers each runs this; the chief writes the run's folder, the others need none.

    Args:
        settings: `kerashw.train.settings.Settings`.
        output: String or `Path` of the run's folder.
        data_dir: As in `kerashw.datasets.mnist.load`.
        observer: `Observer`, to show what happens.
        command: String, what the user typed, for the manifest.
        tensorboard: Boolean; whether to write TensorBoard logs into the models' folders.
        plan: `kerashw.distribution.Plan`, where to train; by default chosen automatically.
        timeout: Seconds to wait for other workers at most.

    Returns:
        List of `kerashw.train.results.Result`, one a model, empty on a worker that is not the chief;
        `None` if the run was complete already.

    Raises:
        RunError: If the folder cannot be used, or a file of an interrupted run is damaged.
        DataError: If the data cannot be had.
        InputError: If there are fewer examples than the settings ask for, or no TensorBoard, or
            the workers were started with different settings.
        WorkerError: If another worker is out of reach, or was lost.

    Example:
        >>> import tempfile
        >>> from kerashw.train.settings import Settings
        >>> settings = Settings(models=("softmax",), epochs=1, train_examples=1000)
        >>> result, = run(settings, tempfile.mkdtemp())
        >>> result.last["test_accuracy"] > 0.5
        True
    """
    observer = observer or Observer()
    plan = plan or distribution.plan()
    if tensorboard:
        _check_tensorboard()
    manifest = _manifest(settings, command, plan)
    folder = RunFolder(output, manifest) if plan.is_chief else None
    if worker_agreement.meet(folder, settings, plan, observer, timeout):
        return None
    strategy = plan.start(timeout)
    manifest = folder.manifest if folder else manifest
    if not manifest["finished"]:
        manifest["distribution"] = distribution.describe(plan, strategy)
    for key, value in environment().items():
        manifest.setdefault(key, value)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    data = _load_data(settings, data_dir, observer, manifest)
    with worker_loss_as_error(strategy), folder.started() if folder else contextlib.nullcontext():
        judged = _train_all(settings, data, folder, observer, tensorboard, strategy)
        # A worker that ended before the chief has written everything would not be there to go on.
        distribution.broadcast(strategy, b"")
    observer.finished(folder, judged)
    return judged


def _train_all(settings, data, folder, observer, tensorboard, strategy):
    """Train the models one after the other; write what they achieve where there is a folder."""
    judged = []
    for name in settings.models:
        if folder is None:
            if name in MODELS:
                _train(name, settings, data, None, observer, False, strategy)
            continue
        model_folder = folder.model(name)
        model, history = _train(name, settings, data, model_folder, observer, tensorboard, strategy)
        judged.append(_judge(model, history, data))
        if not folder.exported(name):
            export_saved_model(collapse_model(model), folder.exports / name, data.classes)
        seconds = sum(epoch["seconds"] for epoch in history["epochs"])
        folder.manifest["seconds"][name] = round(seconds, 3)
        folder.write_manifest()
    if folder:
        _write_pictures_and_report(folder, judged)
    return judged


class _Recorder(keras.callbacks.Callback):
    """Notes the history after every epoch; writes it, and a checkpoint, where it has a folder."""

    def __init__(self, folder, history, observer):
        super().__init__()
        self.folder, self.history, self.observer = folder, history, observer

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        entry = {
            "epoch": epoch + 1,
            "train_loss": logs["loss"],
            "test_loss": logs["val_loss"],
            "test_accuracy": logs["val_accuracy"],
            "seconds": round(time.perf_counter() - self.started, 4),
        }
        self.history["epochs"].append(entry)
        if self.folder:
            self.folder.save_epoch(self.model, self.history)
        self.observer.epoch(self.model, entry)


def _train(name, settings, data, folder, observer, tensorboard, strategy):
    """Train a model, from its last finished epoch on; return it with its history.

    Only the chief has a folder; it gets the model back as one that knows of no strategy.
    """
    trained = name in MODELS
    if trained and worker_count(strategy) > 1:
        # What follows needs all workers or none.
        complete = distribution.broadcast(strategy, b"yes" if folder and folder.complete else b"")
        if complete:
            return folder.load() if folder else (None, None)
    with strategy.scope() if trained else contextlib.nullcontext():
        saved = worker_agreement.load(folder, strategy) if trained else folder.load()
        model, history = saved or (None, None)
        if model is None:
            model = _new_model(name, settings, data)
            history = {"model": name, "parameters": model.count_params(), "epochs": []}
    if not (folder and folder.complete):
        callbacks = observer.training(model, history)
        if tensorboard and folder:
            callbacks.append(keras.callbacks.TensorBoard(folder.path / "tensorboard"))
        recorder = _Recorder(folder, history, observer)
        train = Batches(data.train_images, data.train_labels, settings.batch_size, settings.seed)
        test = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
        if trained:
            callbacks += [ReseedDropout(settings.seed), recorder]
            done = len(history["epochs"])
            fit(model, train, test, settings.epochs, done, callbacks, verbose=0)
        elif not history["epochs"]:
            _measure(model, train, test, len(data.classes), recorder)
        if folder:
            folder.save_model(model)
    return folder.load() if folder and replica_step.is_distributed(model) else (model, history)


def _new_model(name, settings, data):
    shape = (*data.train_images.shape[1:], 1)
    if name in MODELS:
        return compiled_model(name, settings.seed, shape, len(data.classes), settings.precision)
    return diagonal_classifier(shape[0])


def _measure(model, train, test, num_classes, recorder):
    """Record what a model achieves that has nothing to train, as its epoch 0."""
    judged = compile_as_homework(_with_probabilities(model, num_classes))
    recorder.set_model(model)
    recorder.on_epoch_begin(-1)
    logs = evaluate(judged, train)
    logs |= {f"val_{name}": value for name, value in evaluate(judged, test).items()}
    # Keras keeps certainty 1e-7 below 1: that much of a loss is none.
    logs = {name: round(value, 6) for name, value in logs.items()}
    recorder.on_epoch_end(-1, logs)


def _with_probabilities(model, num_classes):
    """Return the model; one that names a class in {1, 2, …} is made to be certain of it."""
    if not isinstance(model.output, dict):
        return model
    certain = keras.ops.one_hot(model.output["class"] - 1, num_classes, dtype="float32")
    return keras.Model(model.input, certain, name=model.name)


def _judge(model, history, data):
    test = Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)
    probabilities = predict(_with_probabilities(model, len(data.classes)), test)
    return results.judge(
        history, probabilities, data.test_images, data.test_labels, data.classes, _kernel(model)
    )


def _kernel(model):
    """Return the kernel of a model that has just one, from one channel to one; else nothing."""
    kernels = [weight for weight in model.weights if len(weight.shape) == 4]
    if len(kernels) == 1 and tuple(kernels[0].shape[2:]) == (1, 1):
        return keras.ops.convert_to_numpy(kernels[0])[..., 0, 0]
    return None


def _load_data(settings, data_dir, observer, manifest):
    started = time.perf_counter()
    observer.preparing(settings.dataset)
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
    if not manifest["finished"]:
        manifest["data"] = {"name": data.name, "checksums": data.checksums}
        manifest["seconds"]["data"] = round(time.perf_counter() - started, 3)
    return data.first(settings.train_examples, settings.test_examples)


def _check_tensorboard():
    try:
        import tensorboard  # noqa: F401 - TensorFlow finds out only after the first steps
    except ImportError as error:
        raise InputError(
            "TensorBoard logs need the package tensorboard, which is not installed. "
            "Install it: pip install '.[tensorboard]'"
        ) from error


def _write_pictures_and_report(folder, judged):
    for result in judged:
        _save(learning_curves(result.history), folder.path / result.name / "curves.png")
    histories = [result.history for result in judged]
    headline = results.is_homeworks(folder.manifest["configuration"])
    _save(comparison(histories, headline), folder.path / "comparison.png")
    write_models_config(folder.exports)
    folder.manifest["finished"] = folder.manifest["finished"] or _now()
    with written_whole(folder.path / "report.html") as path:
        path.write_text(report_html(judged, folder.manifest), encoding="utf-8")
    folder.write_manifest()


def _save(figure, path):
    with written_whole(path) as aside:
        figure.savefig(aside, dpi="figure")


def _manifest(settings, command, plan):
    configuration = settings.configuration()
    if settings.deterministic:
        # Another number of replicas sums in another order: only without this may a run go on so.
        configuration["replicas"] = plan.replicas
    return {
        "command": command,
        "configuration": configuration,
        "started": _now(),
        "finished": None,
        "data": None,
        "seconds": {},
    }


def _now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
