"""A data set in a `.npz` file of NumPy, with the arrays that the data sets of Keras have.

`x_train` and `x_test` are uint8 images (N, height, width) or (N, height, width, channels) with one
or three channels, `y_train` and `y_test` are integers (N,): the numbers of the classes from 0 on.
"""

import hashlib
import zipfile

import numpy as np

from kerashw.datasets.stored_array import read_stored
from kerashw.errors import DataError
from kerashw.files import local_path

ARRAYS = {
    "x_train": "train_images",
    "y_train": "train_labels",
    "x_test": "test_images",
    "y_test": "test_labels",
}


def load(name, image_size, memory):
    """Load the arrays of a file.

    Args:
        name: String, the path of the file.
        image_size: As in `kerashw.datasets.load`.
        memory: Number of bytes. If the arrays are larger, the images stay in the file; it must have
            been written by `numpy.savez`, which does not compress.

    Returns:
        Tuple of the name, the arrays of `ImageDataset` by name, the names of the classes, which are
        their numbers, and the checksums.

    Raises:
        DataError: If the file or its arrays are not as above.
    """
    path = local_path("--dataset", name)
    try:
        arrays = _read(path, memory)
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}. Expected the path of a .npz file") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Expected a file that numpy.savez has written"
        ) from error
    _check_images(path, arrays)
    arrays = {ARRAYS[key]: array for key, array in arrays.items()}
    classes = _check_labels(path, arrays["train_labels"], arrays["test_labels"])
    for split in ("train", "test"):
        images = arrays[f"{split}_images"]
        if image_size and tuple(images.shape[1:3]) != tuple(image_size):
            arrays[f"{split}_images"] = images = _scale(path, images, image_size)
        if images.ndim == 4 and images.shape[-1] == 1:
            arrays[f"{split}_images"] = images.reshape(images.shape[:3])
        arrays[f"{split}_labels"] = arrays[f"{split}_labels"].astype(np.int64)
    return str(path), arrays, classes, {path.name: checksum}


def _read(path, memory):
    with np.load(path, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it has one array only")
        missing = [key for key in ARRAYS if key not in file.files]
        if missing:
            raise DataError(
                f"{path} has no array {missing[0]}. Expected {', '.join(ARRAYS)}. "
                f"Received: {', '.join(file.files) or 'none'}"
            )
        sizes = [member.file_size for member in file.zip.infolist()]
        if sum(sizes) <= memory:
            return {key: file[key] for key in ARRAYS}
        try:
            stored = read_stored(path)
        except ValueError as error:
            raise DataError(
                f"{path} has {sum(sizes) / 2**30:.1f} GiB, more than --memory, and cannot be read "
                f"from the disk while it is used: {error}. Write it with numpy.savez, or choose a "
                "larger --memory"
            ) from error
        return {key: stored[key] if key[0] == "x" else file[key] for key in ARRAYS}


def _check_images(path, arrays):
    for split in ("train", "test"):
        x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        is_images = x.dtype == np.uint8 and (x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 3)))
        is_labels = np.issubdtype(y.dtype, np.integer) and y.shape == x.shape[:1] and len(y)
        if not is_images or not is_labels:
            raise DataError(
                f"{path} has arrays that do not fit. Expected x_{split} uint8 (N, height, width) "
                f"or (N, height, width, 1 or 3), and y_{split} integers (N,). Received: "
                f"x_{split} {x.dtype} {x.shape}, y_{split} {y.dtype} {y.shape}"
            )
    shapes = [arrays[key].shape[1:] for key in ("x_train", "x_test")]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"{path} has training and test images of different shapes. Expected the same. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )


def _check_labels(path, train, test):
    """Check the labels, and return the names of the classes."""
    present = np.unique(train)
    if len(present) < 2 or present[0] != 0 or present[-1] != len(present) - 1:
        raise DataError(
            f"{path} has labels that are not the numbers of classes. Expected 0, 1, … without "
            f"gaps, at least two. Received: y_train with {_shorten(present)}"
        )
    if not np.array_equal(present, np.unique(test)):
        raise DataError(
            f"{path} does not have the same classes to train and to test. Expected test images of "
            f"all classes of y_train, {_shorten(present)}. Received: y_test with "
            f"{_shorten(np.unique(test))}"
        )
    return tuple(map(str, present))


def _shorten(numbers):
    shown = [str(number) for number in numbers[:10]]
    return ", ".join([*shown, "…"] if len(numbers) > 10 else shown)


def _scale(path, images, image_size):
    if not isinstance(images, np.ndarray):
        raise DataError(
            f"{path} is larger than --memory, so its images cannot be scaled. Leave --image-size "
            "out, or choose a larger --memory"
        )
    import tensorflow as tf

    from kerashw.preprocessing.picture_scaling import scale_picture

    channels = images.shape[3] if images.ndim == 4 else 1
    pictures = tf.data.Dataset.from_tensor_slices(images.reshape(*images.shape[:3], channels))
    scaled = pictures.map(lambda x: scale_picture(x, *image_size, channels), tf.data.AUTOTUNE)
    return np.concatenate(list(scaled.batch(256).as_numpy_iterator()))
