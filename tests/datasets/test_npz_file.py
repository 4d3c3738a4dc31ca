"""Arrays in a .npz file are a data set, and odd ones are refused with one line."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from kerashw.datasets.loading import load
from kerashw.datasets.stored_array import StoredArray
from kerashw.errors import DataError


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8) * 255 / 16).astype("uint8")
    return {
        "x_train": images[:1500],
        "y_train": labels[:1500],
        "x_test": images[1500:],
        "y_test": labels[1500:],
    }


def write(folder, arrays):
    np.savez(folder / "digits.npz", **arrays)
    return str(folder / "digits.npz")


@pytest.mark.parametrize("memory", [None, 1])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_the_arrays_are_the_data_set(tmp_path, digits, memory, channels):
    def shaped(x):
        return np.broadcast_to(x[..., None], (*x.shape, *channels)) if channels else x

    arrays = {key: shaped(x) if key[0] == "x" else x for key, x in digits.items()}
    data = load(write(tmp_path, arrays), memory=memory)
    assert isinstance(data.train_images, StoredArray) == bool(memory)
    assert data.image_shape == (8, 8, *(channels or (1,)))
    assert data.classes == tuple("0123456789")
    images = data.train_images[np.arange(1500)]
    expected = arrays["x_train"] if channels == (3,) else digits["x_train"]
    np.testing.assert_array_equal(images, expected)
    np.testing.assert_array_equal(data.test_labels, digits["y_test"])


def test_the_images_are_scaled(tmp_path, digits):
    data = load(write(tmp_path, digits), image_size=(16, 4))
    assert data.test_images.shape == (297, 16, 4)
    means = data.test_images.mean((1, 2)), digits["x_test"].mean((1, 2))
    np.testing.assert_allclose(*means, atol=4)


def no_array(arrays):
    del arrays["y_test"]


def float_images(arrays):
    arrays["x_train"] = arrays["x_train"] / 255


def two_channels(arrays):
    arrays["x_test"] = np.stack([arrays["x_test"]] * 2, -1)


def float_labels(arrays):
    arrays["y_train"] = arrays["y_train"] / 1


def too_few_labels(arrays):
    arrays["y_train"] = arrays["y_train"][1:]


def other_size(arrays):
    arrays["x_test"] = arrays["x_test"][:, 1:]


def skipped_number(arrays):
    arrays["y_train"] = np.where(arrays["y_train"] == 5, 4, arrays["y_train"])


def missing_in_the_test(arrays):
    arrays["y_test"] = np.where(arrays["y_test"] == 5, 4, arrays["y_test"])


def no_images(arrays):
    arrays.update(x_test=arrays["x_test"][:0], y_test=arrays["y_test"][:0])


def objects(arrays):
    arrays["y_train"] = arrays["y_train"].astype(object)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_array, "has no array y_test"),
        (float_images, "Received: x_train float64"),
        (two_channels, "Received: x_test uint8 .297, 8, 8, 2."),
        (float_labels, "y_train float64"),
        (too_few_labels, "y_train int64 .1499,."),
        (other_size, "different shapes"),
        (skipped_number, r"without gaps.*0, 1, 2, 3, 4, 6"),
        (missing_in_the_test, "Received: y_test with 0, 1, 2, 3, 4, 6"),
        (no_images, "x_test uint8 .0, 8, 8."),
        (objects, "cannot be read"),
    ],
)
def test_odd_arrays_are_refused(tmp_path, digits, damage, words):
    arrays = dict(digits)
    damage(arrays)
    with pytest.raises(DataError, match=words) as error:
        load(write(tmp_path, arrays))
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        load(str(tmp_path / "nosuch.npz"))
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(DataError, match=r"cannot be read.*numpy\.savez"):
        load(str(tmp_path / "text.npz"))


def test_compressed_arrays_must_fit_into_memory(tmp_path, digits):
    np.savez_compressed(tmp_path / "small.npz", **digits)
    assert len(load(str(tmp_path / "small.npz")).train_images) == 1500
    with pytest.raises(DataError, match=r"compressed\. Write it with numpy\.savez"):
        load(str(tmp_path / "small.npz"), memory=1000)
