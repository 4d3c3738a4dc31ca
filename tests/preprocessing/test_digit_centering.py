"""Digits in images of any size, colour and format become what MNIST's digits are."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from kerashw.preprocessing import center_digits
from tests.conftest import compiled
from tests.preprocessing.images import center, colorize, encode, enlarge, on_canvas


def test_images_of_mnist_do_not_change(data):
    digits = data.test_images[:700]
    found = center([encode(digit) for digit in digits])
    # The brightest pixel of a digit becomes 255; in a few digits it is 254.
    differences = np.abs(found.astype(int) - digits).max(axis=(1, 2))
    assert np.mean(differences <= 1) > 0.995


def test_images_of_28_by_28_that_exceed_the_box_do_not_change():
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    image[[0, -1]] = 0
    image[:, 0] = 0
    image[5, 5] = 255
    np.testing.assert_array_equal(center([encode(image)])[0], image)


@pytest.mark.parametrize("factor", [2, 5, 10])
def test_enlarged_digits_are_scaled_back(factor, data):
    digits = data.test_images[:50]
    enlarged = [np.kron(digit, np.ones((factor, factor), np.uint8)) for digit in digits]
    found = center([encode(image) for image in enlarged]).astype(int)
    differences = np.abs(found - digits).max(axis=(1, 2))
    # One of these digits is 19 pixels high, and becomes 20.
    assert np.sum(differences > 1) == 1


def test_position_polarity_and_format_do_not_matter(data):
    digits = [enlarge(digit, 3) for digit in data.test_images[:20]]
    expected = center([encode(on_canvas(digit)) for digit in digits])
    black, white = (np.full((100, 130, 3), level, np.uint8) for level in (0, 255))
    opaque = white[..., 0]
    for encode_equal in (
        lambda digit: encode(on_canvas(digit, 0, 0, digit.shape)),
        lambda digit: encode(on_canvas(digit, 6, 20)),
        lambda digit: encode(255 - on_canvas(digit)),
        lambda digit: encode(np.dstack([255 - on_canvas(digit)] * 3)),
        lambda digit: encode(np.dstack([on_canvas(digit)] * 3 + [opaque])),
        lambda digit: encode(Image.fromarray(on_canvas(digit)).convert("P")),
        lambda digit: tf.io.encode_png(np.uint16(on_canvas(digit))[..., None] * 257).numpy(),
        # Black or white strokes on a transparent background.
        lambda digit: encode(np.dstack([black, on_canvas(digit)])),
        lambda digit: encode(np.dstack([white, on_canvas(digit)])),
    ):
        found = center([encode_equal(digit) for digit in digits]).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_colours_and_contrast_hardly_matter(data):
    digits = [enlarge(digit, 3) for digit in data.test_images[:20]]
    expected = center([encode(on_canvas(digit)) for digit in digits])
    for encode_similar in (
        lambda digit: encode(on_canvas(digit) // 2 + 60),
        lambda digit: encode(colorize(on_canvas(digit), (20, 40, 160), (250, 240, 215))),
        lambda digit: encode(colorize(on_canvas(digit), (255, 230, 0), (0, 60, 30))),
    ):
        found = center([encode_similar(digit) for digit in digits]).astype(int)
        assert np.abs(found - expected).max() <= 8


@pytest.fixture(scope="module")
def classifier(data):
    """A model, and its accuracy on the first 300 test digits as they are in the data set."""
    keras.utils.set_random_seed(0)
    model = compiled(softmax_regression())
    train = Batches(data.train_images[:20000], data.train_labels[:20000], 128, 0)
    test = Batches(data.test_images[:300], data.test_labels[:300], 300)
    history = fit(model, train, epochs=2, verbose=0, validation_data=test)
    return model, history.history["val_accuracy"][-1]


def encode_photo(digit, number):
    """A digit in dark ink on bright paper, as a JPEG, at another position for each number."""
    top, left = 7 * number % 120, 13 * number % 90
    page = on_canvas(enlarge(digit, 6), top, left, (300, 270))
    return encode(colorize(page, (30, 30, 50), (235, 230, 220)), "JPEG", quality=75)


@pytest.mark.parametrize(
    "encode_digit",
    [
        lambda digit, number: encode(digit),
        lambda digit, number: encode(255 - digit, "JPEG", quality=85),
        lambda digit, number: encode(enlarge(digit, 3 + number % 4)),
        encode_photo,
    ],
    ids=["unchanged", "dark JPEG", "larger", "photo"],
)
def test_digits_are_recognized_as_well_as_in_the_data_set(encode_digit, classifier, data):
    model, accuracy = classifier
    files = [encode_digit(digit, number) for number, digit in enumerate(data.test_images[:300])]
    predictions = model(center(files)[..., None] / np.float32(255)).numpy().argmax(axis=1)
    assert accuracy > 0.85
    assert np.mean(predictions == data.test_labels[:300]) > accuracy - 0.02


@settings(max_examples=60)
@example(shape=(41, 13, 1), bounds=(0, 41, 12, 13), seed=0)  # a thin digit at the edge
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3, 4])),
    bounds=st.tuples(*[st.integers(0, 59)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_image_has_a_digit_or_an_error(shape, bounds, seed):
    image = np.zeros(shape, np.uint8)
    rows, columns = slice(*sorted(bounds[:2])), slice(*sorted(bounds[2:]))
    box = image[rows, columns].shape
    image[rows, columns] = np.random.default_rng(seed).integers(0, 256, box, np.uint8)
    try:
        found = center([tf.io.encode_png(image).numpy()])[0]
    except tf.errors.InvalidArgumentError as error:
        assert "image_bytes[0] has no digit" in error.message
    else:
        assert found.max() == 255


def test_digits_fill_the_box_and_are_centred():
    sizes = [(60, 8), (7, 300), (45, 45), (20, 13), (5, 3)]
    files = [encode(on_canvas(np.full(size, 255, "uint8"), 9, 5, (90, 330))) for size in sizes]
    for found, (height, width) in zip(center(files), sizes, strict=True):
        scale = 20 / max(height, width)
        for axis, size in ((1, height), (0, width)):
            mass = found.sum(axis=axis) / 255
            assert abs(mass.sum() / mass.max() - scale * size) < 1
            assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.5
        assert max(found.any(axis=0).sum(), found.any(axis=1).sum()) == 20


BLANK = {
    "white": np.full((40, 30), 255, np.uint8),
    "colour": np.full((40, 30, 3), 17, np.uint8),
    "transparent": np.zeros((5, 7, 4), np.uint8),
    "transparent colour": np.dstack([np.full((9, 9, 3), 200), np.zeros((9, 9))]).astype(np.uint8),
    "one pixel": np.full((1, 1), 90, np.uint8),
    "faint": np.full((30, 30), 200, np.uint8) + np.eye(30, dtype=np.uint8),
}


# In one test: after each test, TensorFlow would prepare the graph again, which takes 0.2 s.
def test_an_image_without_foreground_is_an_error_with_its_index():
    stroke = encode(on_canvas(np.full((30, 10), 255, np.uint8)))
    for image in BLANK.values():
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"image_bytes\[1\] has no digit"):
            center([stroke, encode(image), stroke])


def test_no_images_and_other_sizes():
    assert center_digits(np.array([], np.object_)).shape == (0, 28, 28)
    file = encode(on_canvas(np.full((30, 10), 255, np.uint8)))
    found = center_digits(tf.constant([file] * 2), height=56, width=42).numpy()
    assert found.shape == (2, 56, 42)
    # The digit reaches the height of its box, 40×30, first.
    assert found[0].any(axis=1).sum() == 40
