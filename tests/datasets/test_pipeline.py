"""Batches have each example once per epoch, in an order that a run can repeat."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**31)


def numbered(n):
    """Return examples whose label and pixels are their index."""
    indices = np.arange(n)
    return np.broadcast_to(indices[:, None, None], (n, 2, 3)).astype("uint8"), indices


@settings(max_examples=30)
@given(sizes, sizes, seeds, st.integers(0, 100))
def test_an_epoch_has_each_example_once_with_its_label(n, batch_size, seed, epoch):
    batches = Batches(*numbered(n), batch_size, seed)
    order = batches.order(epoch)
    loaded = [batches.batch(order, step) for step in range(batches.steps)]
    labels = np.concatenate([labels for _, labels in loaded])
    assert sorted(labels) == list(range(n))
    assert [len(labels) for _, labels in loaded[:-1]] == [batch_size] * (batches.steps - 1)
    for images, labels in loaded:
        np.testing.assert_allclose(images[:, 1, 2, 0], labels / 255, rtol=1e-6)


@settings(max_examples=30)
@given(st.integers(20, 40), seeds, st.integers(0, 100))
def test_the_order_depends_on_the_seed_and_the_epoch_alone(n, seed, epoch):
    first, second = Batches(*numbered(n), 4, seed), Batches(*numbered(n), 8, seed)
    np.testing.assert_array_equal(first.order(epoch), second.order(epoch))
    assert (first.order(epoch).numpy() != first.order(epoch + 1).numpy()).any()
    other = Batches(*numbered(n), 4, seed + 1)
    assert (first.order(epoch).numpy() != other.order(epoch).numpy()).any()


def test_without_a_seed_the_order_is_kept():
    np.testing.assert_array_equal(Batches(*numbered(7), 2).order(3), np.arange(7))


def test_floats_are_not_scaled():
    images = np.random.default_rng(0).random((3, 4, 5, 2), "float32")
    batches = Batches(images, np.arange(3), 3)
    np.testing.assert_array_equal(batches.batch(batches.order(0), 0)[0], images)


@pytest.mark.parametrize(
    ("images", "labels", "batch_size", "message"),
    [
        (np.zeros((3, 28)), np.zeros(3), 1, "Received: shapes \\(3, 28\\) and \\(3,\\)"),
        (np.zeros((3, 28, 28)), np.zeros(2), 1, "shapes"),
        (np.zeros((0, 28, 28)), np.zeros(0), 1, "N at least 1"),
        (np.zeros((3, 28, 28)), np.zeros(3), 0, "Received: batch_size=0"),
    ],
)
def test_invalid_arguments_are_refused(images, labels, batch_size, message):
    with pytest.raises(InputError, match=message):
        Batches(images, labels, batch_size)
