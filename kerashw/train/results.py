"""The test results of a trained model, and what the homework says about them."""

import dataclasses

import keras
import numpy as np

from kerashw.models import TITLES

# The test accuracies that Question 4 gives, for ten epochs of Adadelta at batch size 128.
HOMEWORK = {
    "softmax": "+1 % from epoch 1 to 10",
    "mlp": "below 98.33 %",
    "convnet": "98.33 % after epoch 1",
}
MOST_MISTAKES = 25


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
    whole = not (configuration.get("train_examples") or configuration.get("test_examples"))
    return configuration["dataset"].partition(":")[0] == "mnist" and whole


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The wrongly classified test images with the highest confidence, in descending order.

    Args:
        images: uint8 array (M, height, width).
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
            `epoch`, `train_loss`, `test_loss`, `test_accuracy`, `seconds`.
        classes: Tuple of strings, the names of the classes.
        confusion: Integer array (classes, classes), the numbers of test images by true class (row)
            and predicted class (column).
        mistakes: `Mistakes`.
        kernel: Float array (rows, columns) or `None`, see `single_kernel`.
    """

    history: dict
    classes: tuple
    confusion: np.ndarray
    mistakes: Mistakes
    kernel: np.ndarray | None = None

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
        images: uint8 array (N, height, width).
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
    return Result(history, tuple(classes), confusion, mistakes, kernel)


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
