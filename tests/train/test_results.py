import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerashw.train.results import MOST_MISTAKES, evaluate_predictions

CLASSES = tuple("abcd")


tables = arrays(
    "float32", st.tuples(st.integers(1, 80), st.just(4)), elements=st.floats(0, 1, width=16)
)


@given(tables, st.integers(0, 2**32 - 1))
def test_confusion_and_mistakes_agree_with_the_accuracy(probabilities, seed):
    n = len(probabilities)
    labels = np.random.default_rng(seed).integers(0, 4, n)
    images = np.arange(n, dtype="uint8")[:, None, None]
    result = evaluate_predictions({}, probabilities, images, labels, CLASSES)
    right = int(np.sum(probabilities.argmax(axis=1) == labels))
    assert result.confusion.sum() == n
    assert np.trace(result.confusion) == right
    assert result.mistakes.total == n - right
    assert len(result.mistakes.images) == min(n - right, MOST_MISTAKES)
    np.testing.assert_array_equal(result.confusion.sum(axis=1), np.bincount(labels, minlength=4))
    assert (np.diff(result.mistakes.confidences) <= 0).all()
    assert (result.mistakes.labels != result.mistakes.predictions).all()
    for image, label in zip(result.mistakes.images, result.mistakes.labels, strict=True):
        assert labels[image[0, 0]] == label
