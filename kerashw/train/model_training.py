"""One model of a run: trained from its last finished epoch on, or evaluated if it is fixed."""

import time

import keras

from kerashw.datasets.augmentation import TrainingBatches, balanced_weights
from kerashw.datasets.streamed_batches import image_batches
from kerashw.fitting import ReseedDropout, evaluate, fit, predict
from kerashw.fitting.replica_step import is_distributed
from kerashw.model_names import folder_name
from kerashw.models import TEST_BATCH_SIZE, compile_as_homework, diagonal_classifier
from kerashw.train import worker_agreement
from kerashw.train.model_building import build_model, model_reader
from kerashw.train.training_options import is_stopped


def train_model(run, name):
    """Train a model from its last finished epoch on, and save it.

    Args:
        run: `kerashw.train.run.Run`.
        name: String, a name from `kerashw.models.MODELS`, or a function, see
            `kerashw.train.model_function`.

    Returns:
        Pair of the trained `keras.Model` and its history. On the chief, the model belongs to no
        strategy.
    """
    folder, settings, data = run.folder.model(folder_name(name)), run.settings, run.data
    arguments = settings, name, data.image_shape, len(data.classes)
    read = model_reader(*arguments)
    if worker_agreement.is_trained(folder, run.strategy):
        return folder.load(read) or (None, None)
    with run.strategy.scope():
        model, history = worker_agreement.load(folder, run.strategy, read) or (None, None)
        if model is None:
            model = build_model(*arguments)
            history = _new_history(name, model)
            if settings.keep_epochs:
                folder.keep_epoch(model, 0)
    callbacks = run.observer.on_model_begin(model, history)
    if run.tensorboard:
        callbacks += folder.tensorboard_callbacks()
    recorder = _HistoryRecorder(folder, history, run)
    callbacks += [ReseedDropout(settings.seed), recorder]
    if not is_stopped(history, settings.early_stopping):
        fit(
            model,
            training_batches(data, settings),
            epochs=settings.epochs,
            verbose=0,
            callbacks=callbacks,
            validation_data=epoch_batches(data),
            initial_epoch=len(history["epochs"]),
        )
    folder.save_model(model)
    # Loaded outside the scope, a distributed model becomes one that belongs to no strategy.
    return (is_distributed(model) and folder.load(read)) or (model, history)


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
        recorder = _HistoryRecorder(folder, history, run)
        recorder.set_model(model)
        recorder.on_epoch_begin(-1)
        classifier = compile_as_homework(with_probabilities(model, len(data.classes)))
        train = image_batches(data.train_images, data.train_labels, settings.batch_size)
        logs, tested = (
            evaluate(classifier, batches, verbose=0, return_dict=True)
            for batches in (train, epoch_batches(data))
        )
        logs |= {f"val_{name}": value for name, value in tested.items()}
        # Keras clips probabilities at 1 - 1e-7; a loss that small is 0.
        recorder.on_epoch_end(-1, {name: round(value, 6) for name, value in logs.items()})
    folder.save_model(model)
    return model, history


def predict_test_set(model, data):
    """Return a model's probabilities for the test images, float array (N, classes)."""
    return predict(with_probabilities(model, len(data.classes)), evaluation_batches(data))


def training_batches(data, settings):
    """Return the training examples of a data set as the settings of a run want them."""
    batches = image_batches(
        data.train_images, data.train_labels, settings.batch_size, settings.seed
    )
    if not settings.augment and settings.class_weight is None:
        return batches
    weights = balanced_weights(data.train_labels) if settings.class_weight else None
    return TrainingBatches(batches, settings.augment, weights)


def epoch_batches(data):
    """Return what a model is evaluated on after each epoch: validation or test examples."""
    if data.validation_images is None:
        return evaluation_batches(data)
    return image_batches(data.validation_images, data.validation_labels, TEST_BATCH_SIZE)


def evaluation_batches(data):
    """Return the test examples of a data set in their order, as `Batches`."""
    return image_batches(data.test_images, data.test_labels, TEST_BATCH_SIZE)


def with_probabilities(model, num_classes):
    """Return the model, with one-hot probabilities as output if it answers with a class number."""
    if not isinstance(getattr(model, "output", None), dict):
        return model
    one_hot = keras.ops.one_hot(model.output["class"] - 1, num_classes, dtype="float32")
    return keras.Model(model.input, one_hot, name=model.name)


def _new_history(name, model):
    return {"model": folder_name(name), "parameters": model.count_params(), "epochs": []}


class _HistoryRecorder(keras.callbacks.Callback):
    """Appends each epoch to the history, and saves the history and a checkpoint."""

    def __init__(self, folder, history, run):
        super().__init__()
        self.folder, self.history, self.run = folder, history, run

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        settings = self.run.settings
        examples = "validation" if settings.validation_share else "test"
        entry = {
            "epoch": epoch + 1,
            "train_loss": logs["loss"],
            f"{examples}_loss": logs["val_loss"],
            f"{examples}_accuracy": logs["val_accuracy"],
            "seconds": round(time.perf_counter() - self.started, 4),
        }
        self.history["epochs"].append(entry)
        self.folder.save_epoch(self.model, self.history, settings.keep_epochs)
        self.run.observer.on_epoch_end(self.model, entry)
        if is_stopped(self.history, settings.early_stopping):
            self.model.stop_training = True
