"""Augmented batches: an example changes alike in every batch, in memory and from disk."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets.augmentation import LAYERS, TrainingBatches, balanced_weights
from kerashw.datasets.pipeline import Batches
from kerashw.datasets.stored_array import read_stored
from kerashw.datasets.streamed_batches import StreamedBatches
from kerashw.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (24, 12, 10, 3), np.uint8)
LABELS = np.arange(24) % 5


def epoch_of(batches, epoch):
    """Return the images of an epoch, in its order."""
    order = batches.order(epoch)
    return np.concatenate(
        [batches.gather(piece.arrays, piece.order)[0] for piece in batches.pieces(order)]
    )


def augmented(names=tuple(LAYERS), seed=0, batch_size=8):
    return TrainingBatches(Batches(IMAGES, LABELS, batch_size, seed), names)


def test_an_example_changes_alike_in_every_part_of_a_batch():
    batches = augmented()
    order = batches.order(2)
    (piece,) = batches.pieces(order)
    whole, labels = batches.gather(piece.arrays, order)
    np.testing.assert_array_equal(labels, LABELS[order.numpy()])
    for part in (slice(0, 1), slice(3, 10), slice(10, 24)):
        images, _ = batches.gather(piece.arrays, order[part])
        np.testing.assert_allclose(images, whole[part], atol=1e-6)
    assert 0 <= whole.numpy().min() <= whole.numpy().max() <= 1


@pytest.mark.parametrize("name", LAYERS)
def test_images_change_with_the_seed_and_the_epoch_alone(name):
    def by_example(batches, epoch):
        images = np.empty((24, 12, 10, 3), "float32")
        images[batches.order(epoch).numpy()] = epoch_of(batches, epoch)
        return images

    first = by_example(augmented([name]), 1)
    np.testing.assert_array_equal(first, by_example(augmented([name], batch_size=5), 1))
    for other in (by_example(augmented([name]), 2), by_example(augmented([name], seed=1), 1)):
        assert np.abs(first - other).max() > 0.01
    if name == "flip":
        original = IMAGES / np.float32(255)
        is_flipped = np.abs(first - original).max((1, 2, 3)) > 0
        assert 4 <= is_flipped.sum() <= 20
        np.testing.assert_array_equal(first[is_flipped], original[is_flipped, :, ::-1])


def test_images_from_disk_change_as_those_in_memory(tmp_path, monkeypatch):
    module = "kerashw.datasets.epoch_order"
    for name, value in (("WINDOW_BYTES", 8 * 360), ("BLOCK_BYTES", 2 * 360)):
        monkeypatch.setattr(f"{module}.{name}", value)
    monkeypatch.setattr(f"{module}.WINDOW_MULTIPLE", 4)
    np.savez(tmp_path / "images.npz", x=IMAGES)
    stored = StreamedBatches(read_stored(tmp_path / "images.npz")["x"], LABELS, 4, seed=0)
    streamed = TrainingBatches(stored, tuple(LAYERS))
    assert len(list(streamed.pieces(streamed.order(1)))) == 3
    np.testing.assert_allclose(
        epoch_of(streamed, 1), epoch_of(augmented(batch_size=4), 1), atol=1e-6
    )


def test_weights_give_all_classes_the_same_sum():
    labels = np.array([0, 0, 0, 2, 2, 4])
    weights = balanced_weights(labels)
    sums = np.bincount(labels, weights[labels])
    np.testing.assert_allclose(sums[[0, 2, 4]], 2)
    assert weights[[1, 3]].tolist() == [0, 0]
    batches = TrainingBatches(Batches(IMAGES[:6], labels, 6), class_weights=weights)
    _, y, found = batches.example_batch()
    np.testing.assert_array_equal(found, tf.gather(weights, y))


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="augment must be of flip, shift"):
        augmented(["turn"])
