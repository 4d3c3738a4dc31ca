"""One model of a run: trained from its last finished epoch on, or evaluated if it is fixed."""

import time

import keras

from kerashw.datasets.pipeline import Batches
from kerashw.fitting import ReseedDropout, evaluate, fit, predict
from kerashw.fitting.replica_step import is_distributed
from kerashw.models import (
    TEST_BATCH_SIZE,
    compile_as_homework,
    compiled_model,
    diagonal_classifier,
)
from kerashw.train import worker_agreement


def train_model(run, name):
    """Train a model from its last finished epoch on, and save it.

    Args:
        run: `kerashw.train.run.Run`.
        name: String, a name from `kerashw.models.MODELS`.

    Returns:
        Pair of the trained `keras.Model` and its history. On the chief, the model belongs to no
        strategy.
    """
    folder, settings, data = run.folder.model(name), run.settings, run.data
    if worker_agreement.is_trained(folder, run.strategy):
        return folder.load() or (None, None)
    with run.strategy.scope():
        model, history = worker_agreement.load(folder, run.strategy) or (None, None)
        if model is None:
            shape = (*data.train_images.shape[1:], 1)
            model = compiled_model(
                name, settings.seed, shape, len(data.classes), settings.precision
            )
            history = _new_history(name, model)
    callbacks = run.observer.on_model_begin(model, history)
    if run.tensorboard:
        callbacks += folder.tensorboard_callbacks()
    callbacks += [ReseedDropout(settings.seed), _HistoryRecorder(folder, history, run.observer)]
    train = Batches(data.train_images, data.train_labels, settings.batch_size, settings.seed)
    fit(
        model,
        train,
        epochs=settings.epochs,
        verbose=0,
        callbacks=callbacks,
        validation_data=evaluation_batches(data),
        initial_epoch=len(history["epochs"]),
    )
    folder.save_model(model)
    # Loaded outside the scope, a distributed model becomes one that belongs to no strategy.
    return (is_distributed(model) and folder.load()) or (model, history)


def evaluate_fixed_model(run, name):
    """Evaluate the diagonal classifier, which has nothing to train, as its epoch 0, and save it.

    Args:
        run: `kerashw.train.run.Run`.
        name: String, "diagonal".

    Returns:
        Pair of the `keras.Model` and its history.
    """
    folder, settings, data = run.folder.model(name), run.settings, run.data
    model, history = folder.load() or (None, None)
    if model is None:
        model = diagonal_classifier(data.train_images.shape[1])
        history = _new_history(name, model)
    if folder.complete:
        return model, history
    run.observer.on_model_begin(model, history)
    if not history["epochs"]:
        recorder = _HistoryRecorder(folder, history, run.observer)
        recorder.set_model(model)
        recorder.on_epoch_begin(-1)
        classifier = compile_as_homework(with_probabilities(model, len(data.classes)))
        train = Batches(data.train_images, data.train_labels, settings.batch_size)
        logs, tested = (
            evaluate(classifier, batches, verbose=0, return_dict=True)
            for batches in (train, evaluation_batches(data))
        )
        logs |= {f"val_{name}": value for name, value in tested.items()}
        # Keras clips probabilities at 1 - 1e-7; a loss that small is 0.
        recorder.on_epoch_end(-1, {name: round(value, 6) for name, value in logs.items()})
    folder.save_model(model)
    return model, history


def predict_test_set(model, data):
    """Return a model's probabilities for the test images, float array (N, classes)."""
    return predict(with_probabilities(model, len(data.classes)), evaluation_batches(data))


def evaluation_batches(data):
    """Return the test examples of a data set in their order, as `Batches`."""
    return Batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)


def with_probabilities(model, num_classes):
    """Return the model, with one-hot probabilities as output if it answers with a class number."""
    if not isinstance(model.output, dict):
        return model
    one_hot = keras.ops.one_hot(model.output["class"] - 1, num_classes, dtype="float32")
    return keras.Model(model.input, one_hot, name=model.name)


def _new_history(name, model):
    return {"model": name, "parameters": model.count_params(), "epochs": []}


class _HistoryRecorder(keras.callbacks.Callback):
    """Appends each epoch to the history, and saves the history and a checkpoint."""

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
        self.folder.save_epoch(self.model, self.history)
        self.observer.on_epoch_end(self.model, entry)
