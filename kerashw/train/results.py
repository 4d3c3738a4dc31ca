"""The test results of a trained model, and what the homework says about them."""

import dataclasses

import keras
import numpy as np

from kerashw.histories import evaluated_on
from kerashw.model_names import TITLES
from kerashw.train.training_options import TRAINING_OPTIONS

# The test accuracies that Question 4 gives, for ten epochs of Adadelta at batch size 128.
HOMEWORK = {
    "softmax": "+1 % from epoch 1 to 10",
    "mlp": "below 98.33 %",
    "convnet": "98.33 % after epoch 1",
}
MOST_MISTAKES = 25
SMALLEST_PROBABILITY = 1e-7  # as in Keras' cross-entropy of probabilities


def is_homework_run(configuration):
    """Return whether a run uses all of the homework's data, so that its results can be compared.

    Args:
        configuration: Dict as in `manifest.json`.

    Returns:
        Boolean.

    Example:
        >>> is_homework_run({"dataset": "mnist"}), is_homework_run({"dataset": "kmnist"})
        (True, False)
        >>> is_homework_run({"dataset": "mnist", "train_examples": 1000})
        False
    """
    changes = ("train_examples", "test_examples", "image_size", *TRAINING_OPTIONS)
    whole = not any(configuration.get(name) for name in changes)
    return configuration["dataset"].partition(":")[0] == "mnist" and whole


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The wrongly classified test images with the highest confidence, in descending order.

    Args:
        images: uint8 array (M, height, width), or (M, height, width, 3) in colour.
        labels: Integer array (M,), the true classes.
        predictions: Integer array (M,), the predicted classes.
        confidences: Float array (M,), the probabilities of the predicted classes.
        total: Integer, the number of all wrongly classified images.
    """

    images: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    confidences: np.ndarray
    total: int


@dataclasses.dataclass(frozen=True)
class Result:
    """The training history and the test results of one model.

    Args:
        history: Dict as in `history.json`: `model`, `parameters`, and `epochs`, a list of dicts of
            `epoch`, `train_loss`, `test_loss`, `test_accuracy`, `seconds`; with validation
            examples, `validation_loss` and `validation_accuracy` instead of those of the test.
        classes: Tuple of strings, the names of the classes.
        confusion: Integer array (classes, classes), the numbers of test images by true class (row)
            and predicted class (column).
        mistakes: `Mistakes`.
        test_loss: Float, the cross-entropy of the test images, in nats.
        kernel: Float array (rows, columns) or `None`, see `single_kernel`.
        layers: List from `kerashw.plots.model_layers.layer_rows`, or `None`.
    """

    history: dict
    classes: tuple
    confusion: np.ndarray
    mistakes: Mistakes
    test_loss: float
    kernel: np.ndarray | None = None
    layers: list | None = None

    @property
    def name(self):
        """The model's name on the command line."""
        return self.history["model"]

    @property
    def title(self):
        """The model's name in text and pictures."""
        return TITLES.get(self.name, self.name)

    @property
    def first(self):
        """The history's entry of the first epoch."""
        return self.history["epochs"][0]

    @property
    def last(self):
        """The history's entry of the last epoch."""
        return self.history["epochs"][-1]

    @property
    def evaluated_on(self):
        """The examples on which the epochs were evaluated, "test" or "validation"."""
        return evaluated_on(self.history)

    @property
    def test_accuracy(self):
        """The share of the test images that the trained model classifies correctly."""
        share = float(np.trace(self.confusion) / self.confusion.sum())
        return self.last.get("test_accuracy", share)

    @property
    def seconds_an_epoch(self):
        """The median time of an epoch, training and test, in seconds."""
        return float(np.median([epoch["seconds"] for epoch in self.history["epochs"]]))

    @property
    def homework(self):
        """The homework's statement about this model's test accuracy, or an empty string."""
        return HOMEWORK.get(self.name, "")


def evaluate_predictions(history, probabilities, images, labels, classes, kernel=None):
    """Compare a model's predictions with the labels.

    Args:
        history: Dict as in `history.json`.
        probabilities: Float array (N, classes), the output of the model.
        images: uint8 array (N, height, width), or (N, height, width, 3) in colour.
        labels: Integer array (N,).
        classes: Tuple of strings, the names of the classes.
        kernel: As in `Result`.

    Returns:
        `Result`.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
        >>> images, labels = np.zeros((2, 28, 28), "uint8"), np.array([0, 1])
        >>> result = evaluate_predictions({}, probabilities, images, labels, ("zero", "one"))
        >>> result.confusion.tolist(), result.mistakes.confidences.tolist()
        ([[1, 0], [1, 0]], [0.8])
    """
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (labels, predictions), 1)
    confidences = probabilities.max(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    worst = wrong[np.argsort(-confidences[wrong], kind="stable")][:MOST_MISTAKES]
    mistakes = Mistakes(
        images[worst], labels[worst], predictions[worst], confidences[worst], total=len(wrong)
    )
    right = probabilities[np.arange(len(labels)), labels].astype("float64")
    loss = -float(np.log(np.maximum(right, SMALLEST_PROBABILITY)).mean())
    if "test_loss" in (history.get("epochs") or [{}])[-1]:  # of the logits, so not clipped
        loss = history["epochs"][-1]["test_loss"]
    return Result(history, tuple(classes), confusion, mistakes, loss, kernel)


def single_kernel(model):
    """Return the kernel of a model with one convolution, from one channel to one.

    Args:
        model: `keras.Model`.

    Returns:
        Float array (rows, columns); `None` for other models.
    """
    kernels = [weight for weight in model.weights if len(weight.shape) == 4]
    if len(kernels) == 1 and tuple(kernels[0].shape[2:]) == (1, 1):
        return keras.ops.convert_to_numpy(kernels[0])[..., 0, 0]
    return None
