"""Question 2, two equal hypothesis spaces: claims 4 and 5."""

import functools
import itertools

import keras
import numpy as np

from kerashw.fitting import fit, predict
from kerashw.hypotheses import collapse, collapse_model, expand, h1, h2
from kerashw.models import factored_softmax_regression
from kerashw.plots.claim_evidence import training_paths
from kerashw.verify.claim import Evidence, Verdict, claim, format_error

# K smaller than m and larger, both equal to 1, and the shape for MNIST.
SHAPES = [*itertools.product((1, 2, 3, 5, 10), (1, 2, 4, 10, 17)), (10, 784)]
SEEDS = range(3)
INPUTS = 16
# The error of probabilities in float64, and of a served model in float32.
EXACT, EXACT_SERVED = 1e-12, 1e-5
LEARNING_RATE, EPOCHS = 0.1, 2


@claim(4, "H1 ⊆ H2: every softmax(W x) is a softmax((A + B) C x)")
def first_in_second(trained_models):
    """Test the choice A = I, B = 0, C = W.

    >>> first_in_second(None).numbers["largest_difference_of_W"]
    0.0
    """
    cases = list(_matrices())
    difference_of_W = max(np.abs(collapse(*expand(W)) - W).max() for W, _ in cases)
    difference = np.max([np.abs(h2(*expand(W), x) - h1(W, x)).max() for W, x in cases])
    return Evidence(
        method=f"{_describe(cases)}; A = I, B = 0, C = W",
        measured=f"largest difference of two probabilities {format_error(difference)}",
        verdict=Verdict.from_bool(difference <= EXACT),
        numbers={
            "cases": len(cases),
            "largest_difference_of_probabilities": float(difference),
            "largest_difference_of_W": float(difference_of_W),
        },
    )


@claim(5, "H2 ⊆ H1: every softmax((A + B) C x) is a softmax(W x)")
def second_in_first(trained_models):
    """Test the choice W = (A + B) C, also for a Keras model, and compare the training in both."""
    cases = [(_factors(C, number), C, x) for number, (C, x) in enumerate(_matrices())]
    difference = np.max(
        [np.abs(h1(collapse(A, B, C), x) - h2(A, B, C, x)).max() for (A, B), C, x in cases]
    )
    paths, served = train_in_both(trained_models)
    distance, length = paths["apart"][-1], paths["way_in_h1"][-1]
    first, second = (100 * paths[f"test_accuracy_in_{space}"][-1] for space in ("h1", "h2"))
    return Evidence(
        method=f"{_describe(cases)}; W = (A + B) C; and a Keras model trained in H2 and served in "
        "H1, all test images of MNIST",
        measured=f"largest difference of two probabilities {format_error(difference)} in float64, "
        f"{format_error(served)} served in float32",
        verdict=Verdict.from_bool(difference <= EXACT and served <= EXACT_SERVED),
        note="The sets are equal, but gradient descent takes different paths: from the same start "
        f"and on the same batches, the two W differ by {distance:.1f} after {paths['step'][-1]} "
        f"steps, in which the W of H1 moves by {length:.1f}; test accuracy {first:.2f} % in H1, "
        f"{second:.2f} % in H2.",
        numbers={
            "cases": len(cases),
            "largest_difference_of_probabilities": float(difference),
            "largest_difference_served": served,
            "paths": paths,
        },
        pictures={"claim-5-paths": functools.partial(training_paths, paths)},
    )


def _matrices():
    """Yield matrices (K, m) of rank 0, 1 and full, each with vectors x (INPUTS, m)."""
    for (K, m), seed in itertools.product(SHAPES, SEEDS):
        for rank in sorted({0, 1, min(K, m)}):
            random = np.random.default_rng((K, m, seed, rank))
            W = random.normal(size=(K, rank)) @ random.normal(size=(rank, m))
            yield W / np.sqrt(m), random.normal(size=(INPUTS, m))


def _describe(cases):
    return f"{len(cases)} matrices up to 10×784, K < m, K = m, K > m, K = 1; ranks 0, 1, full"


def _factors(C, seed):
    K = len(C)
    return np.random.default_rng(seed).normal(size=(2, K, K)) / np.sqrt(K)


def train_in_both(trained_models):
    """Train a model in H1 and in H2 from the same weights, on the same batches.

    Args:
        trained_models: `TrainedModels`, for the data and the observer.

    Returns:
        Dictionary of the two training paths, for `kerashw.plots.claim_evidence.training_paths`; and
        float, the largest difference of a probability when the model in H2 is served in H1.
    """
    keras.utils.set_random_seed(0)
    in_h2 = factored_softmax_regression()
    in_h1 = collapse_model(in_h2)
    recorders = [_train(trained_models, model) for model in (in_h1, in_h2)]
    test = trained_models.test_batches()
    served = np.abs(predict(collapse_model(in_h2), test) - predict(in_h2, test)).max()
    return _compare_paths(*recorders), float(served)


def _train(trained_models, model):
    model.compile(
        keras.optimizers.SGD(LEARNING_RATE),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    recorder = _PathRecorder(trained_models.data)
    history = {"model": model.name, "seed": 0}
    callbacks = [recorder, *trained_models.observer.on_model_begin(model, history)]
    fit(model, trained_models.train_batches(0), epochs=EPOCHS, callbacks=callbacks, verbose=0)
    return recorder


class _PathRecorder(keras.callbacks.Callback):
    """Records the W of softmax(W x) and the test accuracy, at the start and every 32 steps."""

    batch_interval = 32

    def __init__(self, data):
        super().__init__()
        images = data.test_images
        self.images = images.reshape(len(images), -1).astype("float32") / 255
        self.labels = data.test_labels
        self.steps, self.matrices, self.accuracies = [], [], []

    def on_train_begin(self, logs=None):
        self._record(0)

    def on_epoch_begin(self, epoch, logs=None):
        self.first_step = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        self._record(self.first_step + batch + 1)

    def _record(self, step):
        layer = self.model.layers[-1]
        kernel, *_ = layer.collapse() if hasattr(layer, "collapse") else layer.get_weights()
        is_right = (self.images @ kernel).argmax(axis=1) == self.labels
        self.steps.append(step)
        self.matrices.append(kernel.T.astype("float64"))
        self.accuracies.append(float(is_right.mean()))


def _compare_paths(first, second):
    start = first.matrices[0]
    paths = [np.array(recorder.matrices) - start for recorder in (first, second)]
    norm = functools.partial(np.linalg.norm, axis=(1, 2))
    return {
        "step": first.steps,
        "apart": norm(paths[0] - paths[1]).tolist(),
        "way_in_h1": norm(paths[0]).tolist(),
        "way_in_h2": norm(paths[1]).tolist(),
        "test_accuracy_in_h1": first.accuracies,
        "test_accuracy_in_h2": second.accuracies,
        "plane": _project(*paths),
    }


def _project(*paths):
    """Project both paths on the plane through the start with the largest share of them."""
    points = np.concatenate([path.reshape(len(path), -1) for path in paths])
    _, sizes, axes = np.linalg.svd(points, full_matrices=False)
    projected = points @ axes[:2].T
    # The signs of singular vectors are arbitrary. Here the second path ends at positive values.
    projected *= np.where(projected[-1] < 0, -1, 1)
    first, second = np.split(projected, 2)
    share = float((sizes[:2] ** 2).sum() / (sizes**2).sum())
    return {"h1": first.tolist(), "h2": second.tolist(), "share": share}
