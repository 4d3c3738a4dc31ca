"""Even backgrounds are subtracted exactly; uneven ones are estimated at each place."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.preprocessing.foreground import extract_foreground
from tests.preprocessing.images import enlarge

extract = tf.function(extract_foreground, input_signature=[tf.TensorSpec((None, None, 4))])
ROWS, COLUMNS = np.mgrid[:320, :240]
LIGHTS = {
    "from the left": 1 - COLUMNS / 400,
    "from above": 1 - ROWS / 600,
    "in the middle": 1 - np.hypot(ROWS - 160, COLUMNS - 120) / 400,
    "shadow": 1 - 0.5 / (1 + np.exp((COLUMNS + 0.3 * ROWS - 170) / 8)),
}


def photograph(digit, light, paper=230, ink=40):
    """A digit on unevenly lit paper: float32 (320, 240, 4)."""
    share = np.pad(np.clip(enlarge(digit, 6), 0, 255) / 255, [(80, 72), (40, 32)])
    noise = np.random.default_rng(0).normal(size=share.shape) * 3
    gray = np.clip(light * (paper + share * (ink - paper)) + noise, 0, 255)
    return np.dstack([gray] * 3 + [np.full(gray.shape, 255)]).astype(np.float32)


def correlation(foreground, digit):
    share = np.pad(np.clip(enlarge(digit, 6), 0, 255), [(80, 72), (40, 32)])
    size = foreground.shape
    expected = tf.image.resize(share[..., None].astype(np.float32), size, "area").numpy()[..., 0]
    return np.corrcoef(foreground.ravel(), expected.ravel())[0, 1]


@pytest.mark.parametrize("light", LIGHTS)
def test_the_digit_remains_in_every_light(light, data):
    for digit in data.test_images[:10]:
        foreground, is_found = extract(photograph(digit, LIGHTS[light]))
        assert is_found
        assert correlation(foreground.numpy(), digit) > 0.85


@pytest.mark.parametrize("light", LIGHTS)
def test_paper_without_a_digit_has_no_foreground(light):
    blank = np.zeros((28, 28), np.uint8)
    assert not extract(photograph(blank, LIGHTS[light]))[1]


def test_chalk_on_a_blackboard_is_foreground(data):
    light = LIGHTS["from the left"]
    foreground, is_found = extract(photograph(data.test_images[0], light, paper=60, ink=220))
    assert is_found
    assert correlation(foreground.numpy(), data.test_images[0]) > 0.85


def test_specks_far_from_the_digit_are_removed(data):
    image = photograph(data.test_images[0], LIGHTS["from above"])
    specked = image.copy()
    for row, column in ((30, 20), (280, 200), (40, 215)):
        specked[row : row + 2, column : column + 2, :3] = 60
    foreground, _ = extract(image)
    found, _ = extract(specked)
    assert np.abs(found - foreground).max() < 13


def test_the_brightness_of_the_whole_photograph_does_not_matter(data):
    image = photograph(data.test_images[1], LIGHTS["from above"])
    bright, _ = extract(image)
    dim, _ = extract(image * np.float32([0.7, 0.7, 0.7, 1]))
    assert np.abs(bright - dim).max() < 26


def test_an_even_background_is_subtracted_exactly(data):
    digit = data.test_images[0].astype(np.float32)
    image = np.dstack([255 - digit] * 3 + [np.full_like(digit, 255)])
    foreground, is_found = extract(image)
    assert is_found
    np.testing.assert_array_equal(foreground, digit)
