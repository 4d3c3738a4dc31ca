"""What a trained model achieved, beside what the homework says of it."""

import dataclasses

import numpy as np

from kerashw.models import TITLES

# Question 4's figures for ten epochs of Adadelta at batch size 128, as far as it gives any.
HOMEWORK = {
    "softmax": "+1 % from epoch 1 to 10",
    "mlp": "below 98.33 %",
    "convnet": "98.33 % after epoch 1",
}
MOST_MISTAKES = 25


def is_homeworks(configuration):
    """Tell whether a run is of the homework's data, all of it: only then do its figures apply.

    Args:
        configuration: Dict as in `manifest.json`.

    Returns:
        Boolean.

    Example:
        >>> is_homeworks({"dataset": "mnist"}), is_homeworks({"dataset": "kmnist"})
        (True, False)
        >>> is_homeworks({"dataset": "mnist", "train_examples": 1000})
        False
    """
    whole = not (configuration.get("train_examples") or configuration.get("test_examples"))
    return configuration["dataset"].partition(":")[0] == "mnist" and whole


@dataclasses.dataclass(frozen=True)
class Mistakes:
    """The wrongly classified test images that the model was surest of, surest first.

    Args:
        images: uint8 array (M, height, width).
        labels: Integer array (M,), the right classes.
        predictions: Integer array (M,), the model's.
        confidences: Float array (M,), the probability of the prediction.
        total: Integer, all the wrongly classified images.
    """

    images: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray
    confidences: np.ndarray
    total: int


@dataclasses.dataclass(frozen=True)
class Result:
    """One model's training and test.

    Args:
        history: Dict as in `history.json`: `model`, `parameters`, and `epochs`, a list of dicts of
            `epoch`, `train_loss`, `test_loss`, `test_accuracy`, `seconds`.
        classes: Tuple of the classes' names.
        confusion: Integer array (classes, classes): the test images by right class (row) and
            predicted class (column).
        mistakes: `Mistakes`.
        kernel: Float array (rows, columns), the kernel of a model that has just one; otherwise
            `None`.
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
        """What readers call the model."""
        return TITLES.get(self.name, self.name)

    @property
    def first(self):
        """The first epoch's entry of the history."""
        return self.history["epochs"][0]

    @property
    def last(self):
        """The last epoch's entry of the history."""
        return self.history["epochs"][-1]

    @property
    def seconds_an_epoch(self):
        """The median time of training an epoch and testing after it, in seconds."""
        return float(np.median([epoch["seconds"] for epoch in self.history["epochs"]]))

    @property
    def homework(self):
        """What the homework says of this model's test accuracy; empty where it says nothing."""
        return HOMEWORK.get(self.name, "")


def judge(history, probabilities, images, labels, classes, kernel=None):
    """Compare a model's predictions with the labels.

    Args:
        history: Dict as in `history.json`.
        probabilities: Float array (N, classes), the model's output.
        images: uint8 array (N, height, width).
        labels: Integer array (N,).
        classes: Tuple of the classes' names.
        kernel: As in `Result`.

    Returns:
        `Result`.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
        >>> images = np.zeros((2, 28, 28), "uint8")
        >>> result = judge({}, probabilities, images, np.array([0, 1]), ("zero", "one"))
        >>> result.confusion.tolist(), result.mistakes.confidences.tolist()
        ([[1, 0], [1, 0]], [0.8])
    """
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (labels, predictions), 1)
    confidences = probabilities.max(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    surest = wrong[np.argsort(-confidences[wrong], kind="stable")][:MOST_MISTAKES]
    mistakes = Mistakes(
        images[surest], labels[surest], predictions[surest], confidences[surest], total=len(wrong)
    )
    return Result(history, tuple(classes), confusion, mistakes, kernel)
