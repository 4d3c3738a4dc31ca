"""`load`: any data set of labelled images by its name."""

import re
from pathlib import Path

import numpy as np

from kerashw.datasets import diagonals, image_folder, npz_file, tfds_dataset
from kerashw.datasets.image_dataset import ImageDataset, select_rows
from kerashw.datasets.memory_bound import default_memory
from kerashw.datasets.train_test_split import split_rows
from kerashw.errors import InputError


def load(
    name="mnist",
    data_dir=None,
    image_size=None,
    test_share=0.2,
    seed=0,
    skip_damaged=False,
    memory=None,
):
    """Load a data set of labelled images.

    The first call prepares the data set: it downloads or decodes it, and writes the decoded images
    into the data directory. Later calls read these.

    Args:
        name: String: a name in tensorflow-datasets, such as `mnist`, `cifar10` or `emnist/letters`;
            a name from `kerashw.datasets.diagonals.NOISE`; the path of a folder of pictures, see
            `kerashw.datasets.image_folder`; or the path of a `.npz` file, see
            `kerashw.datasets.npz_file`.
        data_dir: String or `Path`, the data directory of tensorflow-datasets. The default is also
            theirs: `$TFDS_DATA_DIR` or `~/tensorflow_datasets`.
        image_size: Pair of positive integers, height and width, to scale the images to; see
            `kerashw.preprocessing.picture_scaling`. By default the images keep their size, which
            must be the same for all.
        test_share: Float in (0, 1), the share of the test examples, of each class, if the data set
            has none of its own.
        seed: Non-negative integer, for the choice of these.
        skip_damaged: Boolean; whether to go on without damaged files in a folder.
        memory: Positive integer, the number of bytes above which the images stay on disk; by
            default a quarter of the machine's memory.

    Returns:
        `ImageDataset`.

    Raises:
        DataError: If there is no such data set, it does not have labelled images, it cannot be
            downloaded, or a file is damaged or cannot be read.
        InputError: If an argument is not as above, the data directory is not UTF-8, or `~` stands
            for no home folder.

    Example:
        >>> data = load("mnist")
        >>> data.image_shape, len(data.train_images), data.classes[:3]
        ((28, 28, 1), 60000, ('0', '1', '2'))
    """
    _check(image_size, test_share)
    if name in diagonals.NOISE:
        if image_size:
            raise InputError(
                f"the images of {name} are generated and have one size. Leave --image-size out. "
                f"Received: {image_size}"
            )
        return diagonals.load(name)
    memory = default_memory() if memory is None else memory
    are_files = False
    if Path(name).suffix == ".npz":
        loaded = npz_file.load(name, image_size, memory)
    elif are_files := _is_folder(name):
        loaded = image_folder.load(name, data_dir, image_size, skip_damaged, memory)
    else:
        loaded = tfds_dataset.load(name, data_dir, image_size, memory)
    name, arrays, classes, checksums = loaded
    if "all_labels" in arrays:
        arrays = _split(arrays["all_images"], arrays["all_labels"], classes, test_share, seed)
    return ImageDataset(
        name=name, classes=classes, checksums=checksums, are_files=are_files, **arrays
    )


def _is_folder(name):
    """Return whether a name is a folder's. One that tensorflow-datasets knows is never: `mnist`."""
    if re.match(r"[/~.]", name):
        return True
    if not name or name.partition(":")[0] == "mnist":
        return False
    return Path(name).is_dir() and not tfds_dataset.is_known(name)


def _split(images, labels, classes, test_share, seed):
    """Return the arrays of the training and the test examples, chosen by the seed."""
    arrays = {}
    for split, rows in zip(
        ("train", "test"), split_rows(labels, classes, test_share, seed), strict=True
    ):
        arrays[f"{split}_images"] = select_rows(images, rows)
        arrays[f"{split}_labels"] = labels[rows]
    return arrays


def _check(image_size, test_share):
    is_size = image_size is None or (
        len(image_size) == 2 and all(isinstance(n, (int, np.integer)) and n > 0 for n in image_size)
    )
    if not is_size:
        raise InputError(
            f"image_size must be a height and a width of at least 1 pixel. Received: {image_size!r}"
        )
    if not isinstance(test_share, (int, float)) or not 0 < test_share < 1:
        raise InputError(
            f"test_share must be a number between 0 and 1, such as 0.2. Received: {test_share!r}"
        )
