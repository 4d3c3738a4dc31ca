"""Laws of the generated diagonals, and the data set of tensorflow-datasets made from them."""

import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashw.datasets.diagonals import distances, generate, load, paint
from kerashw.errors import InputError
from kerashw.layers import DiagonalCount


def pixels_of(segment, length=3):
    row, column = segment
    return [(row + k, column + length - 1 - k) for k in range(length)]


def distance(one, other, length=3):
    """The distance of two segments, pixel by pixel."""
    pairs = itertools.product(pixels_of(one, length), pixels_of(other, length))
    return min(np.hypot(a - c, b - d) for (a, b), (c, d) in pairs)


def placements(image_size, length, min_distance):
    """All sets of one segment, and all of two that are far enough apart."""
    places = list(itertools.product(range(image_size - length + 1), repeat=2))
    pairs = itertools.combinations(places, 2)
    far = [pair for pair in pairs if distance(*pair, length) >= min_distance]
    return [(place,) for place in places], far


def as_placement(segments):
    return tuple(tuple(segment) for segment in segments.tolist() if segment[0] >= 0)


@settings(deadline=None, max_examples=30)
@given(
    image_size=st.integers(8, 24),
    length=st.integers(2, 4),
    min_distance=st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0**0.5, 4.5]),
    seed=st.integers(0, 2**40),
)
def test_every_image_is_what_its_label_and_its_segments_say(image_size, length, min_distance, seed):
    drawn = generate(20, image_size, length, min_distance, seed=seed)
    for image, label, segments in zip(*drawn, strict=True):
        placement = as_placement(segments)
        assert len(placement) == label
        pixels = {pixel for segment in placement for pixel in pixels_of(segment, length)}
        assert {tuple(pixel) for pixel in np.argwhere(image[..., 0])} == pixels
        assert image.max() == 1
        if label == 2:
            assert placement[0] < placement[1]
            assert distance(*placement, length) >= min_distance


@pytest.mark.parametrize(("image_size", "length", "min_distance"), [(7, 3, 3.0), (6, 2, 1.5)])
def test_every_legal_placement_is_equally_likely(image_size, length, min_distance):
    """A chi-square test on a size that is small enough to see every placement often."""
    n = 40_000
    for share, expected in zip((0, 1), placements(image_size, length, min_distance), strict=True):
        drawn = generate(n, image_size, length, min_distance, class_balance=share, seed=3)
        counts = dict.fromkeys(expected, 0)
        for segments in drawn.segments:
            counts[as_placement(segments)] += 1
        mean = n / len(expected)
        statistic = sum((count - mean) ** 2 / mean for count in counts.values())
        freedom = len(expected) - 1
        # Nearly normal, with this mean and deviation: 4 deviations are one seed in 30,000.
        assert abs(statistic - freedom) < 4 * (2 * freedom) ** 0.5


@pytest.mark.parametrize(("image_size", "length"), [(100, 3), (9, 4), (5, 2)])
def test_the_distances_are_those_of_the_pixels(image_size, length):
    table = distances(image_size, length)
    reach = image_size - length
    assert table.shape == (2 * reach + 1, 2 * reach + 1)
    for i, j in np.random.default_rng(0).integers(-reach, reach + 1, (200, 2)):
        assert table[reach + i, reach + j] == pytest.approx(distance((0, 0), (i, j), length))


def test_the_same_seed_gives_the_same_images_on_every_machine():
    drawn = generate(50, image_size=30, seed=7, noise=0.1)
    content = b"".join(array.astype("<i8").tobytes() for array in drawn)
    digest = "59303cf9df7bc4040ba7f6a96c08169479182bdad3dce7dbd69f63d57d9ada1b"
    assert hashlib.sha256(content).hexdigest() == digest


@pytest.mark.parametrize("noise", [0, 0.1])
def test_a_longer_series_begins_as_a_shorter_one(noise):
    short, long = (generate(n, image_size=12, seed=5, noise=noise) for n in (10, 25))
    for a, b in zip(short, long, strict=True):
        np.testing.assert_array_equal(a, b[:10])
    other = generate(25, image_size=12, seed=6, noise=noise)
    assert (other.images != long.images).any()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_the_classes_have_their_shares(share):
    labels = generate(4000, image_size=10, class_balance=share).labels
    assert (labels == 2).mean() == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5)


@pytest.mark.parametrize("density", [0.02, 0.2, 0.6, 1.0])
def test_noise_makes_no_full_diagonal_unless_asked(density):
    clean = generate(300, image_size=20, seed=1)
    noisy = generate(300, image_size=20, seed=1, noise=density)
    np.testing.assert_array_equal(noisy.segments, clean.segments)
    assert (noisy.images >= clean.images).all()
    assert noisy.images.sum() > clean.images.sum()
    np.testing.assert_array_equal(DiagonalCount()(noisy.images), noisy.labels)
    asked = generate(300, image_size=20, seed=1, noise=density, noise_diagonals=True)
    assert (asked.images >= noisy.images).all()
    free = asked.images[clean.images == 0]
    assert free.mean() == pytest.approx(density, abs=0.01)
    if density > 0.1:
        assert (DiagonalCount()(asked.images) != asked.labels).numpy().any()


def test_no_images_at_all():
    assert [len(array) for array in generate(0)] == [0, 0, 0]
    assert paint(np.full((2, 2, 2), -1), image_size=5).sum() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n must be .* Received: n=-1"),
        ({"image_size": 2.5}, "Received: image_size=2.5"),
        ({"length": 1}, "length must be a whole number of at least 2"),
        ({"length": 101}, "at most image_size. Received: length=101, image_size=100"),
        ({"min_distance": -1}, "Received: min_distance=-1"),
        ({"min_distance": float("nan")}, "Received: min_distance=nan"),
        ({"class_balance": 1.5}, "Received: class_balance=1.5"),
        ({"noise": "much"}, "Received: noise='much'"),
        ({"seed": -3}, "Received: seed=-3"),
        ({"image_size": 5}, "no two segments that far apart fit .*image_size=5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        generate(**{"n": 3, "min_distance": 6.0} | arguments)


def test_the_set_of_a_run_is_in_the_form_of_mnist():
    data = load(train=300, test=200)
    assert data.train_images.shape == (300, 100, 100)
    assert data.test_labels.dtype == np.int64
    assert set(np.unique(data.train_images)) == {0, 255}
    assert len(data.checksums["test"]) == 64
    drawn = generate(500)
    np.testing.assert_array_equal(data.test_images / 255, drawn.images[300:, ..., 0])
    np.testing.assert_array_equal(data.train_labels + 1, drawn.labels[:300])
    salted = load("diagonals/salt", train=300, test=200)
    assert salted.name == "diagonals/salt:1.0.0"
    assert 2 < (salted.train_images - data.train_images).mean(0).sum() / 255 < 8
    with pytest.raises(InputError, match=r"diagonals, diagonals/salt\. Received: name='mnist'"):
        load("mnist")


def test_tensorflow_datasets_loads_it_once_the_builder_is_imported(tmp_path):
    script = f"""
import tensorflow_datasets as tfds
from kerashw.datasets import diagonals, diagonals_tfds_builder
builder = tfds.builder("diagonals", data_dir=r"{tmp_path}")
assert builder.builder_config.name == "binary_100"
train = tfds.load("diagonals/binary_20", split="train", data_dir=r"{tmp_path}")
drawn = diagonals.generate(5_000, 20)
expected = {{image.tobytes(): label - 1 for image, label, _ in zip(*drawn)}}
for example in train.take(50).as_numpy_iterator():
    assert expected[(example["image"] // 255).tobytes()] == example["label"]
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_importing_the_data_sets_stays_light():
    script = """
import sys
import kerashw.datasets
from kerashw.datasets import mnist, diagonals
diagonals.generate(3)
assert not {"keras", "tensorflow", "tensorflow_datasets"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
