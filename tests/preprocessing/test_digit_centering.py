"""Pictures of digits become what MNIST's pictures are; what is no picture is named."""

import io
import struct
import subprocess
import sys
import zlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kerashw.datasets.pipeline import Batches
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from kerashw.preprocessing.digit_centering import ENOUGH_PIXELS, normalized
from tests.conftest import compiled

in_graph = tf.function(
    normalized, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False
)


def file_of(picture, kind="PNG", **options):
    """A picture (array or PIL's) as a file's bytes."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def results(files):
    return in_graph(np.array(files, np.object_)).numpy()


def canvas(digit, top=11, left=37, size=(100, 130)):
    """A digit somewhere on a greater black canvas."""
    picture = np.zeros(size, np.uint8)
    picture[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return picture


def coloured(digit, ink, paper):
    share = digit[..., None] / 255
    return np.uint8(np.round(share * np.array(ink) + (1 - share) * np.array(paper)))


def larger(digit, factor, how=Image.Resampling.BICUBIC):
    height, width = digit.shape
    return np.asarray(Image.fromarray(digit).resize((width * factor, height * factor), how))


def test_mnists_pictures_come_out_as_themselves(data):
    digits = data.test_images[:700]
    found = results([file_of(digit) for digit in digits])
    # A digit whose brightest pixel is 254 gets one of 255.
    furthest = np.abs(found.astype(int) - digits).max(axis=(1, 2))
    assert np.mean(furthest <= 1) > 0.995


def test_pictures_of_28_by_28_that_fill_more_than_the_box_are_left_as_they_are():
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    picture[[0, -1]] = 0
    picture[:, 0] = 0
    picture[5, 5] = 255
    np.testing.assert_array_equal(results([file_of(picture)])[0], picture)


@pytest.mark.parametrize("factor", [2, 5, 10])
def test_digits_of_larger_pixels_are_scaled_back(factor, data):
    digits = data.test_images[:50]
    enlarged = [np.kron(digit, np.ones((factor, factor), np.uint8)) for digit in digits]
    found = results([file_of(picture) for picture in enlarged]).astype(int)
    furthest = np.abs(found - digits).max(axis=(1, 2))
    # One of these digits is 19 pixels high, and becomes 20.
    assert np.sum(furthest > 1) == 1


def test_position_polarity_and_format_do_not_matter(data):
    digits = [larger(digit, 3) for digit in data.test_images[:20]]
    expected = results([file_of(canvas(digit)) for digit in digits])
    for same in (
        lambda digit: file_of(canvas(digit, 0, 0, digit.shape)),
        lambda digit: file_of(canvas(digit, 6, 20)),
        lambda digit: file_of(255 - canvas(digit)),
        lambda digit: file_of(np.dstack([255 - canvas(digit)] * 3)),
        lambda digit: file_of(np.dstack([canvas(digit)] * 3 + [np.full((100, 130), 255, "uint8")])),
        lambda digit: file_of(Image.fromarray(canvas(digit)).convert("P")),
        lambda digit: tf.io.encode_png(np.uint16(canvas(digit))[..., None] * 257).numpy(),
        # Strokes on transparent paper, black or white.
        lambda digit: file_of(np.dstack([np.zeros((100, 130, 3), np.uint8), canvas(digit)])),
        lambda digit: file_of(np.dstack([np.full((100, 130, 3), 255, np.uint8), canvas(digit)])),
    ):
        found = results([same(digit) for digit in digits]).astype(int)
        assert np.abs(found - expected).max() <= 1


def test_colours_and_contrast_hardly_matter(data):
    digits = [larger(digit, 3) for digit in data.test_images[:20]]
    expected = results([file_of(canvas(digit)) for digit in digits])
    for similar in (
        lambda digit: file_of(canvas(digit) // 2 + 60),
        lambda digit: file_of(coloured(canvas(digit), (20, 40, 160), (250, 240, 215))),
        lambda digit: file_of(coloured(canvas(digit), (255, 230, 0), (0, 60, 30))),
    ):
        found = results([similar(digit) for digit in digits]).astype(int)
        assert np.abs(found - expected).max() <= 8


@pytest.fixture(scope="module")
def classifier(data):
    """A model, and its accuracy on the first 300 test digits as they are in the data set."""
    keras.utils.set_random_seed(0)
    model = compiled(softmax_regression())
    train = Batches(data.train_images[:20000], data.train_labels[:20000], 128, 0)
    test = Batches(data.test_images[:300], data.test_labels[:300], 300)
    history = fit(model, train, test, epochs=2, verbose=0)
    return model, history.history["val_accuracy"][-1]


def photographed(digit, number):
    """A digit in dark ink on light paper, as a JPEG, at another place in each picture."""
    top, left = 7 * number % 160, 13 * number % 120
    page = canvas(larger(digit, 8), top, left, (400, 360))
    return file_of(coloured(page, (30, 30, 50), (235, 230, 220)), "JPEG", quality=75)


@pytest.mark.parametrize(
    "draw",
    [
        lambda digit, number: file_of(digit),
        lambda digit, number: file_of(255 - digit, "JPEG", quality=85),
        lambda digit, number: file_of(larger(digit, 5 + number % 6)),
        photographed,
    ],
    ids=["as it is", "dark, JPEG", "larger", "photographed"],
)
def test_digits_are_recognized_as_well_as_in_the_data_set(draw, classifier, data):
    model, accuracy = classifier
    files = [draw(digit, number) for number, digit in enumerate(data.test_images[:300])]
    answers = model(results(files)[..., None] / np.float32(255)).numpy().argmax(axis=1)
    assert accuracy > 0.85
    assert np.mean(answers == data.test_labels[:300]) > accuracy - 0.02


@settings(max_examples=60, deadline=None)
@given(
    picture=st.tuples(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3, 4])),
    ink=st.tuples(*[st.integers(0, 59)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_picture_has_a_result(picture, ink, seed):
    pixels = np.zeros(picture, np.uint8)
    rows, columns = slice(*sorted(ink[:2])), slice(*sorted(ink[2:]))
    box = pixels[rows, columns].shape
    pixels[rows, columns] = np.random.default_rng(seed).integers(0, 256, box, np.uint8)
    found = results([tf.io.encode_png(pixels).numpy()])[0]
    assert found.max() in (0, 255)


@pytest.mark.parametrize(("height", "width"), [(60, 8), (7, 300), (45, 45), (20, 13), (5, 3)])
def test_digits_fill_the_box_in_their_proportions_and_lie_in_the_middle(height, width):
    found = results([file_of(canvas(np.full((height, width), 255, "uint8"), 9, 5, (90, 330)))])[0]
    scale = 20 / max(height, width)
    for axis, size in ((1, height), (0, width)):
        mass = found.sum(axis=axis) / 255
        assert abs(mass.sum() / mass.max() - scale * size) < 1
        assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.5
    assert max(found.any(axis=0).sum(), found.any(axis=1).sum()) == 20


@pytest.mark.parametrize(
    "picture",
    [
        np.full((40, 30), 255, np.uint8),
        np.full((40, 30, 3), 17, np.uint8),
        np.zeros((5, 7, 4), np.uint8),
        np.dstack([np.full((9, 9, 3), 200, np.uint8), np.zeros((9, 9), np.uint8)]),
        np.full((1, 1), 90, np.uint8),
        np.full((30, 30), 200, np.uint8) + np.eye(30, dtype=np.uint8),
    ],
)
def test_a_picture_without_ink_is_all_zero(picture):
    assert not results([file_of(picture)]).any()


def test_no_pictures_and_other_sizes():
    assert normalized(np.array([], np.object_)).shape == (0, 28, 28)
    picture = file_of(canvas(np.full((30, 10), 255, np.uint8)))
    found = normalized(tf.constant([picture] * 2), height=56, width=42).numpy()
    assert found.shape == (2, 56, 42)
    # Whichever side of the box, 40×30, is reached first.
    assert found[0].any(axis=1).sum() == 40


SEVEN = canvas(np.eye(30, dtype=np.uint8) * 255)
PNG, JPEG = file_of(SEVEN), file_of(SEVEN, "JPEG")


def a_bomb(side=4097):
    """A PNG of 26 KB that decodes to more pixels than are allowed, or just as many."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (1 + (side + 7) // 8)))
    return PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_size(jpeg, height, width):
    """A JPEG whose header says that it has another size."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def with_flipped_byte(file, place):
    return file[:place] + bytes([file[place] ^ 0x55]) + file[place + 1 :]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"a text that is no picture, but long enough",
        file_of(SEVEN, "GIF"),
        file_of(SEVEN, "BMP"),
        PNG[:8] + bytes(40),
        PNG[:20],
        PNG[: len(PNG) // 2],
        PNG[:-14],
        with_flipped_byte(PNG, len(PNG) // 2),
        with_flipped_byte(PNG, 29),
        JPEG[: len(JPEG) // 2],
        JPEG[:100],
    ],
    ids=range(14),
)
@pytest.mark.parametrize("call", [normalized, in_graph], ids=["eager", "graph"])
def test_a_bad_file_is_an_error_with_its_index(file, call):
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"image_bytes\[3\] is not a PNG or JPEG image, or is damaged",
    ):
        call(tf.constant([PNG, JPEG, PNG, file, JPEG, file]))


@pytest.mark.parametrize("file", [a_bomb(), with_size(JPEG, 65000, 65000)], ids=["PNG", "JPEG"])
def test_a_picture_of_too_many_pixels_is_not_decoded(file):
    assert len(file) < 30_000
    limits = r"\[1\] has more .* PNG \(16,777,216\) or a JPEG \(50,331,648\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=limits):
        in_graph(tf.constant([PNG, file, PNG]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("factor", [40, 70, 140])
def test_pictures_of_more_than_enough_pixels_become_what_smaller_ones_do(kind, factor, data):
    digits = data.test_images[:2]
    expected = results([file_of(larger(digit, 30)) for digit in digits]).astype(int)
    assert (28 * 30) ** 2 < ENOUGH_PIXELS < (28 * 40) ** 2
    found = results([file_of(larger(digit, factor), kind) for digit in digits])
    assert np.abs(found - expected).max() <= 24  # one pixel aside would be 200


GROWTH = """
import re, sys
import tensorflow as tf
from kerashw.preprocessing.digit_centering import normalized

def peak():
    with open("/proc/self/status") as status:  # ru_maxrss starts with the parent's
        return int(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1]) / 1024

small, large = sys.stdin.buffer.read().split(b"|||")
normalized([small])
before = peak()
normalized([large] * 6)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak")
def test_large_pictures_take_little_memory_however_many():
    files = PNG + b"|||" + a_bomb(4096)
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH], input=files, capture_output=True, timeout=300, check=True
    )
    # Decoded, one is 64 MiB; in floats, 256.
    assert 64 < float(ended.stdout) < 200
