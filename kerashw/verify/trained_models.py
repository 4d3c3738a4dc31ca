"""What the claims are tested with: MNIST and trained models, made when asked for, and kept."""

import functools
import time

from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.fitting import ReseedDropout, fit
from kerashw.models import TEST_BATCH_SIZE, compiled_model
from kerashw.train.observer import Observer

# Question 4's training; of the ConvNet the homework claims something of its first epoch only.
EPOCHS = {"softmax": 10, "mlp": 10, "convnet": 1}
BATCH_SIZE = 128


class Lab:
    """The seeds, the data, and one training for each model and seed, whichever claims ask for it.

    Args:
        seeds: Positive integer N: models are trained from the seeds 0 to N − 1.
        data_dir: As in `kerashw.datasets.mnist.load`.
        observer: `kerashw.train.observer.Observer`, to show what happens.
        train_examples: Positive integer, to train on the first ones only; `None` for all.
        test_examples: Positive integer, to test on the first ones only; `None` for all.

    Raises:
        InputError: If `seeds` is not as above.

    Example:
        >>> lab = Lab(seeds=2, train_examples=1000, test_examples=500)
        >>> [history["seed"] for history in lab.histories("softmax")]
        [0, 1]
        >>> list(lab.trained)
        ['softmax']
    """

    def __init__(
        self, seeds=1, data_dir=None, observer=None, train_examples=None, test_examples=None
    ):
        if not isinstance(seeds, int) or seeds < 1:
            raise InputError(f"seeds must be a whole number of at least 1. Received: {seeds!r}")
        self.seeds = range(seeds)
        self.observer = observer or Observer()
        self.trained = {}
        self._data_dir = data_dir
        self._examples = train_examples, test_examples

    @functools.cached_property
    def data(self):
        """MNIST, a `kerashw.datasets.mnist.ImageDataset`."""
        self.observer.preparing("mnist")
        return mnist.load("mnist", self._data_dir).first(*self._examples)

    def train_batches(self, seed):
        """Return the training examples, shuffled anew in every epoch."""
        return Batches(self.data.train_images, self.data.train_labels, BATCH_SIZE, seed)

    def test_batches(self):
        """Return the test examples in their order."""
        return Batches(self.data.test_images, self.data.test_labels, TEST_BATCH_SIZE)

    def histories(self, model):
        """Train a model as Question 4 does, from each seed.

        Args:
            model: "softmax", "mlp" (ten epochs each) or "convnet" (one).

        Returns:
            List of dicts, one a seed: `model`, `seed`, `parameters`, `seconds`, and by epoch
            `train_loss`, `test_loss` and `test_accuracy`, lists of floats.
        """
        if model not in self.trained:
            self.trained[model] = [self._train(model, seed) for seed in self.seeds]
        return self.trained[model]

    def _train(self, name, seed):
        data, started = self.data, time.perf_counter()
        shape = (*data.train_images.shape[1:], 1)
        model = compiled_model(name, seed, shape, len(data.classes))
        history = {"model": name, "seed": seed, "parameters": model.count_params()}
        callbacks = [*self.observer.training(model, history), ReseedDropout(seed)]
        by_epoch = fit(
            model,
            self.train_batches(seed),
            self.test_batches(),
            EPOCHS[name],
            callbacks=callbacks,
            verbose=0,
        ).history
        return history | {
            "seconds": round(time.perf_counter() - started, 3),
            "train_loss": by_epoch["loss"],
            "test_loss": by_epoch["val_loss"],
            "test_accuracy": by_epoch["val_accuracy"],
        }
