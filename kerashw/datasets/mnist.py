"""MNIST and data sets of the same shape, loaded into memory through tensorflow-datasets.

The package contains the four archives of MNIST (see `archives/README.md`). The `mnist` builder of
tensorflow-datasets checks and prepares them. No network is needed, and `tfds.load("mnist")` works
afterwards. tensorflow-datasets downloads other data sets of 28×28 grey images in 10 classes, such
as `fashion_mnist` and `kmnist`.
"""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from kerashw.datasets import array_cache, tfds_preparation
from kerashw.files import check_utf8, local_path


@dataclasses.dataclass(frozen=True)
class ImageDataset:
    """A data set of decoded, labelled images in memory.

    Args:
        name: String, the name and the version in tensorflow-datasets: `mnist:3.0.1`.
        train_images: uint8 array (N, 28, 28).
        train_labels: int64 array (N,), each in [0, 10).
        test_images: uint8 array (M, 28, 28).
        test_labels: int64 array (M,).
        classes: Tuple of strings, the names of the classes.
        checksums: Dict of the SHA-256 of each file of the prepared data set, by file name.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple
    checksums: dict

    def first(self, train=None, test=None):
        """Return the first `train` and `test` examples as a data set; `None` keeps all of them."""
        return dataclasses.replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def load(name="mnist", data_dir=None):
    """Load MNIST, or a data set of the same shape, into memory.

    The first call prepares the data set, which takes about ten seconds for MNIST. Later calls take
    a fraction of a second.

    Args:
        name: String, a name in tensorflow-datasets: `mnist`, `fashion_mnist`, `kmnist`, …
        data_dir: String or `Path`, the data directory of tensorflow-datasets. The default is also
            theirs: `$TFDS_DATA_DIR` or `~/tensorflow_datasets`.

    Returns:
        `ImageDataset`.

    Raises:
        DataError: If there is no such data set, if its images are not 28×28 grey images in 10
            classes, if it cannot be downloaded, or if an archive or the prepared data set is
            damaged or cannot be read.
        InputError: If the data directory is not UTF-8, or `~` stands for no home folder.

    Example:
        >>> from kerashw.datasets import mnist
        >>> data = mnist.load()
        >>> data.train_images.shape, data.test_labels.shape
        ((60000, 28, 28), (10000,))

    Reference:
        Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*.
    """
    if not re.fullmatch(r"\w+(/\w+)?(:\d+\.\d+\.\d+)?", name):
        raise tfds_preparation.unknown_dataset_error(name)
    data_dir = _data_dir(data_dir)
    arrays, metadata = _read_cache(name, data_dir) or _prepare_and_decode(name, data_dir)
    return ImageDataset(
        name=metadata["name"],
        classes=tuple(metadata["classes"]),
        checksums=metadata["checksums"],
        **arrays,
    )


def _data_dir(data_dir):
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    path = local_path("--data-dir", data_dir or default)
    check_utf8("the data directory (--data-dir)", path.absolute())
    return path


def _read_cache(name, data_dir):
    """Read the cache of the newest version without importing tensorflow-datasets."""
    dataset, _, version = name.partition(":")
    found = [
        path.parent for path in data_dir.glob(f"{dataset}/{version or '*'}/{array_cache.FILE_NAME}")
    ]
    newest = max(found, key=lambda folder: _version_key(folder.name), default=None)
    return newest and array_cache.read(newest)


def _version_key(version):
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _prepare_and_decode(name, data_dir):
    """Prepare the data set if necessary, decode it, and write the cache."""
    builder = tfds_preparation.prepared_builder(name, data_dir)
    arrays = tfds_preparation.decode(builder)
    metadata = {
        "name": f"{name.partition(':')[0]}:{builder.version}",
        "classes": builder.info.features["label"].names,
    }
    return arrays, array_cache.write(Path(builder.data_dir), arrays, **metadata)
