"""Question 2, two equal hypothesis spaces: claims 4 and 5."""

import functools
import itertools

import keras
import numpy as np

from kerashw.fitting import fit, predict
from kerashw.hypotheses import collapse, collapse_model, expand, h1, h2
from kerashw.models import factored_softmax_regression
from kerashw.plots.claim_evidence import training_paths
from kerashw.verify.claim import Evidence, brief_error, claim, judged

# Smaller and larger K than m, both 1, and MNIST's own.
SHAPES = [*itertools.product((1, 2, 3, 5, 10), (1, 2, 4, 10, 17)), (10, 784)]
SEEDS = range(3)
INPUTS = 16
# Of probabilities in float64, and of a served model's in float32.
EXACT, EXACT_SERVED = 1e-12, 1e-5
LEARNING_RATE, EPOCHS = 0.1, 2


@claim(4, "H1 ⊆ H2: every softmax(W x) is a softmax((A + B) C x)")
def first_in_second(lab):
    """Take A = I, B = 0, C = W.

    >>> first_in_second(None).numbers["largest_difference_of_W"]
    0.0
    """
    cases = list(_matrices())
    moved = max(np.abs(collapse(*expand(W)) - W).max() for W, _ in cases)
    difference = np.max([np.abs(h2(*expand(W), x) - h1(W, x)).max() for W, x in cases])
    return Evidence(
        how=f"{_count(cases)}; A = I, B = 0, C = W",
        measured=f"largest difference of two probabilities {brief_error(difference)}",
        verdict=judged(difference <= EXACT),
        numbers={
            "cases": len(cases),
            "largest_difference_of_probabilities": float(difference),
            "largest_difference_of_W": float(moved),
        },
    )


@claim(5, "H2 ⊆ H1: every softmax((A + B) C x) is a softmax(W x)")
def second_in_first(lab):
    """Take W = (A + B) C; train in H2 and serve in H1; and compare the two ways of training."""
    cases = [(_factors(C, number), C, x) for number, (C, x) in enumerate(_matrices())]
    difference = np.max(
        [np.abs(h1(collapse(A, B, C), x) - h2(A, B, C, x)).max() for (A, B), C, x in cases]
    )
    paths, served = _train_in_both(lab)
    apart, way = paths["apart"][-1], paths["way_in_h1"][-1]
    first, second = (100 * paths[f"test_accuracy_in_{space}"][-1] for space in ("h1", "h2"))
    return Evidence(
        how=f"{_count(cases)}; W = (A + B) C; and a Keras model trained in H2 and served in H1, "
        "all test images of MNIST",
        measured=f"largest difference of two probabilities {brief_error(difference)} in float64, "
        f"{brief_error(served)} served in float32",
        verdict=judged(difference <= EXACT and served <= EXACT_SERVED),
        note="Equal as sets, but not to gradient descent: from one start, on the same batches, the "
        f"two W are {apart:.1f} apart after {paths['step'][-1]} steps, where H1's has moved by "
        f"{way:.1f}; test accuracy {first:.2f} % in H1, {second:.2f} % in H2.",
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


def _count(cases):
    return f"{len(cases)} matrices up to 10×784, K < m, K = m, K > m, K = 1; ranks 0, 1, full"


def _factors(C, seed):
    K = len(C)
    return np.random.default_rng(seed).normal(size=(2, K, K)) / np.sqrt(K)


def _train_in_both(lab):
    """Train from one start in H1 and in H2; return the two ways, and how exact serving is."""
    keras.utils.set_random_seed(0)
    in_h2 = factored_softmax_regression()
    in_h1 = collapse_model(in_h2)
    walks = [_walk(lab, model) for model in (in_h1, in_h2)]
    test = lab.test_batches()
    served = np.abs(predict(collapse_model(in_h2), test) - predict(in_h2, test)).max()
    return _compare(*walks), float(served)


def _walk(lab, model):
    model.compile(
        keras.optimizers.SGD(LEARNING_RATE),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    walk = _Walk(lab)
    watching = lab.observer.training(model, {"model": model.name, "seed": 0})
    fit(model, lab.train_batches(0), epochs=EPOCHS, callbacks=[walk, *watching], verbose=0)
    return walk


class _Walk(keras.callbacks.Callback):
    """Keeps the W of softmax(W x) and the test accuracy, at the start and every 32 steps."""

    def __init__(self, lab):
        super().__init__()
        images = lab.data.test_images
        self.images = images.reshape(len(images), -1).astype("float32") / 255
        self.labels = lab.data.test_labels
        self.steps, self.matrices, self.accuracies = [], [], []

    def on_train_begin(self, logs=None):
        self._note(0)

    def on_epoch_begin(self, epoch, logs=None):
        self.before = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        self._note(self.before + batch + 1)

    def _note(self, step):
        layer = self.model.layers[-1]
        kernel, *_ = layer.collapse() if hasattr(layer, "collapse") else layer.get_weights()
        right = (self.images @ kernel).argmax(axis=1) == self.labels
        self.steps.append(step)
        self.matrices.append(kernel.T.astype("float64"))
        self.accuracies.append(float(right.mean()))


def _compare(first, second):
    start = first.matrices[0]
    ways = [np.array(walk.matrices) - start for walk in (first, second)]
    length = functools.partial(np.linalg.norm, axis=(1, 2))
    return {
        "step": first.steps,
        "apart": length(ways[0] - ways[1]).tolist(),
        "way_in_h1": length(ways[0]).tolist(),
        "way_in_h2": length(ways[1]).tolist(),
        "test_accuracy_in_h1": first.accuracies,
        "test_accuracy_in_h2": second.accuracies,
        "plane": _plane(*ways),
    }


def _plane(*ways):
    """Return both ways in the plane, through the start, that holds most of them."""
    points = np.concatenate([way.reshape(len(way), -1) for way in ways])
    _, sizes, axes = np.linalg.svd(points, full_matrices=False)
    flat = points @ axes[:2].T
    # The first axis points where the ways go; a decomposition leaves the signs open.
    flat *= np.where(flat[-1] < 0, -1, 1)
    first, second = np.split(flat, 2)
    share = float((sizes[:2] ** 2).sum() / (sizes**2).sum())
    return {"h1": first.tolist(), "h2": second.tolist(), "share": share}
