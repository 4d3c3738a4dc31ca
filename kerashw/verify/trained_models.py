"""The trained models of the claims: each model is trained when the first claim needs it."""

import functools
import time

from kerashw.datasets import mnist
from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.fitting import ReseedDropout, fit
from kerashw.models import TEST_BATCH_SIZE, compiled_model
from kerashw.train.observer import Observer

# As in Question 4. The homework's claim about the ConvNet is about its first epoch.
EPOCHS = {"softmax": 10, "mlp": 10, "convnet": 1}
BATCH_SIZE = 128


class TrainedModels:
    """MNIST, and the training histories of the models of Question 4.

    A model is trained once from each seed, however many claims use it.

    Args:
        seeds: Positive integer N: models are trained from the seeds 0 to N − 1.
        data_dir: As in `kerashw.datasets.mnist.load`.
        observer: `kerashw.train.observer.Observer` for the progress.
        train_examples: Positive integer, the number of training examples to use; `None` for all.
        test_examples: Positive integer, the number of test examples to use; `None` for all.

    Attributes:
        finished: Dictionary of the histories so far, by model.

    Raises:
        InputError: If `seeds` is not as above.

    Example:
        >>> trained_models = TrainedModels(seeds=2, train_examples=1000, test_examples=500)
        >>> [history["seed"] for history in trained_models.histories("softmax")]
        [0, 1]
        >>> list(trained_models.finished)
        ['softmax']
    """

    def __init__(
        self, seeds=1, data_dir=None, observer=None, train_examples=None, test_examples=None
    ):
        if not isinstance(seeds, int) or seeds < 1:
            raise InputError(f"seeds must be a whole number of at least 1. Received: {seeds!r}")
        self.seeds = range(seeds)
        self.observer = observer or Observer()
        self.finished = {}
        self._data_dir = data_dir
        self._examples = train_examples, test_examples

    @functools.cached_property
    def data(self):
        """MNIST, a `kerashw.datasets.image_dataset.ImageDataset`."""
        self.observer.on_data_load("mnist")
        return mnist.load("mnist", self._data_dir).first(*self._examples)

    def train_batches(self, seed):
        """Return the training examples, which are shuffled before each epoch."""
        return Batches(self.data.train_images, self.data.train_labels, BATCH_SIZE, seed)

    def test_batches(self):
        """Return the test examples in their order."""
        return Batches(self.data.test_images, self.data.test_labels, TEST_BATCH_SIZE)

    def histories(self, model):
        """Train a model as in Question 4, from each seed, unless it is trained already.

        Args:
            model: "softmax" or "mlp" (ten epochs), or "convnet" (one epoch).

        Returns:
            List of dictionaries, one for each seed: `model`, `seed`, `parameters`, `seconds`, and
            lists of floats, one for each epoch: `train_loss`, `test_loss` and `test_accuracy`.
        """
        if model not in self.finished:
            self.finished[model] = [self._train(model, seed) for seed in self.seeds]
        return self.finished[model]

    def _train(self, name, seed):
        data, start = self.data, time.perf_counter()
        shape = (*data.train_images.shape[1:], 1)
        model = compiled_model(name, seed, shape, len(data.classes))
        history = {"model": name, "seed": seed, "parameters": model.count_params()}
        callbacks = [*self.observer.on_model_begin(model, history), ReseedDropout(seed)]
        by_epoch = fit(
            model,
            self.train_batches(seed),
            epochs=EPOCHS[name],
            verbose=0,
            callbacks=callbacks,
            validation_data=self.test_batches(),
        ).history
        return history | {
            "seconds": round(time.perf_counter() - start, 3),
            "train_loss": by_epoch["loss"],
            "test_loss": by_epoch["val_loss"],
            "test_accuracy": by_epoch["val_accuracy"],
        }
