"""Every image has the segments that its label and its positions say."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.datasets.diagonals import generate, load, paint
from kerashw.errors import InputError
from kerashw.layers import DiagonalCount
from tests.datasets.segments import as_placement, distance, pixels_of


@settings(max_examples=30)
@given(
    image_size=st.integers(8, 24),
    length=st.integers(2, 4),
    min_distance=st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0**0.5, 4.5]),
    seed=st.integers(0, 2**40),
)
def test_every_image_has_the_segments_that_its_label_says(image_size, length, min_distance, seed):
    generated = generate(20, image_size, length, min_distance, seed=seed)
    for image, label, segments in zip(*generated, strict=True):
        placement = as_placement(segments)
        assert len(placement) == label
        pixels = {pixel for segment in placement for pixel in pixels_of(segment, length)}
        assert {tuple(pixel) for pixel in np.argwhere(image[..., 0])} == pixels
        assert image.max() == 1
        if label == 2:
            assert placement[0] < placement[1]
            assert distance(*placement, length) >= min_distance


def test_the_same_seed_gives_the_same_images_on_every_machine():
    generated = generate(50, image_size=30, seed=7, noise=0.1)
    content = b"".join(array.astype("<i8").tobytes() for array in generated)
    digest = "59303cf9df7bc4040ba7f6a96c08169479182bdad3dce7dbd69f63d57d9ada1b"
    assert hashlib.sha256(content).hexdigest() == digest


@pytest.mark.parametrize("noise", [0, 0.1])
def test_a_longer_series_starts_with_a_shorter_one(noise):
    short, long = (generate(n, image_size=12, seed=5, noise=noise) for n in (10, 25))
    for a, b in zip(short, long, strict=True):
        np.testing.assert_array_equal(a, b[:10])
    other = generate(25, image_size=12, seed=6, noise=noise)
    assert (other.images != long.images).any()


@pytest.mark.parametrize("balance", [0.0, 0.2, 0.5, 1.0])
def test_class_balance_is_the_fraction_of_class_2(balance):
    labels = generate(4000, image_size=10, class_balance=balance).labels
    assert (labels == 2).mean() == pytest.approx(
        balance, abs=4 * (balance * (1 - balance) / 4000) ** 0.5
    )


@pytest.mark.parametrize("density", [0.02, 0.2, 0.6, 1.0])
def test_noise_completes_no_diagonal_unless_it_may(density):
    clean = generate(300, image_size=20, seed=1)
    noisy = generate(300, image_size=20, seed=1, noise=density)
    np.testing.assert_array_equal(noisy.segments, clean.segments)
    assert (noisy.images >= clean.images).all()
    assert noisy.images.sum() > clean.images.sum()
    np.testing.assert_array_equal(DiagonalCount()(noisy.images), noisy.labels)
    unrestricted = generate(300, image_size=20, seed=1, noise=density, noise_diagonals=True)
    assert (unrestricted.images >= noisy.images).all()
    free = unrestricted.images[clean.images == 0]
    assert free.mean() == pytest.approx(density, abs=0.01)
    if density > 0.1:
        assert (DiagonalCount()(unrestricted.images) != unrestricted.labels).numpy().any()


def test_an_empty_data_set():
    assert [len(array) for array in generate(0)] == [0, 0, 0]
    assert paint(np.full((2, 2, 2), -1), image_size=5).sum() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n must be .* Received: n=-1"),
        ({"image_size": 2.5}, "Received: image_size=2.5"),
        ({"length": 1}, "length must be an integer of at least 2"),
        ({"length": 101}, "at most image_size. Received: length=101, image_size=100"),
        ({"min_distance": -1}, "Received: min_distance=-1"),
        ({"min_distance": float("nan")}, "Received: min_distance=nan"),
        ({"class_balance": 1.5}, "Received: class_balance=1.5"),
        ({"noise": "much"}, "Received: noise='much'"),
        ({"seed": -3}, "Received: seed=-3"),
        ({"image_size": 5}, "no two segments that far apart fit .*image_size=5"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        generate(**{"n": 3, "min_distance": 6.0} | arguments)


def test_a_loaded_data_set_has_the_form_of_mnist():
    data = load(train=300, test=200)
    assert data.train_images.shape == (300, 100, 100)
    assert data.test_labels.dtype == np.int64
    assert set(np.unique(data.train_images)) == {0, 255}
    assert len(data.checksums["test"]) == 64
    generated = generate(500)
    np.testing.assert_array_equal(data.test_images / 255, generated.images[300:, ..., 0])
    np.testing.assert_array_equal(data.train_labels + 1, generated.labels[:300])
    salted = load("diagonals/salt", train=300, test=200)
    assert salted.name == "diagonals/salt:1.0.0"
    assert 2 < (salted.train_images - data.train_images).mean(0).sum() / 255 < 8
    with pytest.raises(InputError, match=r"diagonals, diagonals/salt\. Received: name='mnist'"):
        load("mnist")


def test_importing_the_data_sets_imports_no_framework():
    script = """
import sys
import kerashw.datasets
from kerashw.datasets import mnist, diagonals
diagonals.generate(3)
assert not {"keras", "tensorflow", "tensorflow_datasets"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
