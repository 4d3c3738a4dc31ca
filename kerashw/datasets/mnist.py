"""MNIST and the data sets of its shape, in memory, through tensorflow-datasets.

The four archives of MNIST come with this package (see `archives/README.md`), and
tensorflow-datasets' own `mnist` builder checks and prepares them: no network is needed, and
`tfds.load("mnist")` works afterwards. Other data sets of 28×28 grey images in 10 classes, such as
`fashion_mnist` and `kmnist`, are downloaded by tensorflow-datasets.
"""

import contextlib
import dataclasses
import io
import json
import os
import re
import tempfile
from pathlib import Path

import numpy as np

from kerashw.datasets import cache
from kerashw.errors import DataError

IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10
ARCHIVE_FOLDER = Path(__file__).with_name("archives")
ARCHIVES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
SECONDS_TO_CONNECT = 10


@dataclasses.dataclass(frozen=True)
class ImageDataset:
    """A data set of labelled images, decoded, in memory.

    Args:
        name: String, as tensorflow-datasets names it, with its version: `mnist:3.0.1`.
        train_images: uint8 array (N, 28, 28).
        train_labels: int64 array (N,), each in [0, 10).
        test_images: uint8 array (M, 28, 28).
        test_labels: int64 array (M,).
        classes: Tuple of the classes' names.
        checksums: Dict of the SHA-256 of each file of the prepared set, by file name.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple
    checksums: dict

    def first(self, train=None, test=None):
        """Return the data set cut to its first `train` and `test` examples (None: all)."""
        return dataclasses.replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def load(name="mnist", data_dir=None, progress=False):
    """Load MNIST, or a data set of its shape, into memory.

    The first call prepares the data set (some ten seconds for MNIST); later ones take a fraction
    of a second.

    Args:
        name: String, a name in tensorflow-datasets: `mnist`, `fashion_mnist`, `kmnist`, …
        data_dir: String or `Path`, where tensorflow-datasets keeps its data; by default, as
            there, `$TFDS_DATA_DIR` or `~/tensorflow_datasets`.
        progress: Boolean; whether to show tensorflow-datasets' progress bars while it prepares.

    Returns:
        `ImageDataset`.

    Raises:
        DataError: If there is no such data set, its images are not 28×28 grey ones in 10 classes,
            it cannot be downloaded, or an archive or the prepared set is damaged.

    Example:
        >>> from kerashw.datasets import mnist
        >>> data = mnist.load()
        >>> data.train_images.shape, data.test_labels.shape
        ((60000, 28, 28), (10000,))

    Reference:
        Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*.
    """
    if not re.fullmatch(r"\w+(/\w+)?(:\d+\.\d+\.\d+)?", name):
        raise _no_such_dataset(name)
    data_dir = _data_dir(data_dir)
    arrays, metadata = _cached(name, data_dir) or _prepared(name, data_dir, progress)
    return ImageDataset(
        name=metadata["name"],
        classes=tuple(metadata["classes"]),
        checksums=metadata["checksums"],
        **arrays,
    )


def _data_dir(data_dir):
    default = os.environ.get("TFDS_DATA_DIR", Path("~", "tensorflow_datasets"))
    return Path(data_dir or default).expanduser()


def _cached(name, data_dir):
    """Read the newest version's cache, without importing tensorflow-datasets."""
    dataset, _, version = name.partition(":")
    found = [path.parent for path in data_dir.glob(f"{dataset}/{version or '*'}/{cache.FILE_NAME}")]
    newest = max(found, key=lambda folder: _version_key(folder.name), default=None)
    return newest and cache.read(newest)


def _version_key(version):
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _prepared(name, data_dir, progress):
    """Prepare the data set where that is still to do, decode it, and cache the arrays."""
    import tensorflow_datasets as tfds

    (tfds.enable_progress_bar if progress else tfds.disable_progress_bar)()
    builder = _builder(name, data_dir)
    _check_shape(builder, name)
    folder = Path(builder.data_dir)
    if not builder.is_prepared():
        if folder.exists():
            raise cache.damaged(folder, "dataset_info.json is missing")
        _prepare(builder, name)
    arrays = _decode(builder)
    metadata = {
        "name": f"{name.partition(':')[0]}:{builder.version}",
        "classes": builder.info.features["label"].names,
    }
    return arrays, cache.write(folder, arrays, **metadata)


def _builder(name, data_dir):
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise _no_such_dataset(name) from error
    except (ParseError, json.JSONDecodeError) as error:
        raise cache.damaged(data_dir / name, f"dataset_info.json: {_summary(error)}") from error
    except (ValueError, AssertionError, KeyError, ImportError) as error:
        raise DataError(f"the data set {name!r} cannot be used: {_summary(error)}") from error


def _no_such_dataset(name):
    return DataError(
        f"tensorflow-datasets has no data set {name!r}. "
        "Expected mnist, or one of its shape: fashion_mnist, kmnist"
    )


def _check_shape(builder, name):
    features = dict(getattr(builder.info.features, "items", dict)())
    image, label = features.get("image"), features.get("label")
    if (
        getattr(image, "shape", None) != IMAGE_SHAPE
        or getattr(label, "num_classes", None) != NUM_CLASSES
    ):
        raise DataError(
            f"the data set {name!r} does not fit: expected images of 28×28×1 in 10 classes. "
            f"Received: image={getattr(image, 'shape', None)}, "
            f"classes={getattr(label, 'num_classes', None)}"
        )


def _prepare(builder, name):
    """Let tensorflow-datasets prepare a data set from our archives or from the network."""
    import tensorflow_datasets as tfds

    if builder.name != "mnist":
        _check_network(builder, name)
        _download_and_prepare(builder, name)
        return
    for archive in ARCHIVES:
        if not (ARCHIVE_FOLDER / archive).is_file():
            raise DataError(
                f"the archive {ARCHIVE_FOLDER / archive} is missing. Install kerashw again"
            )
    # A folder of its own for what the archives unpack to: a file left there by a process that was
    # killed would be taken for whole.
    with tempfile.TemporaryDirectory(prefix="kerashw-") as scratch:
        _download_and_prepare(
            builder,
            name,
            download_dir=scratch,
            download_config=tfds.download.DownloadConfig(manual_dir=ARCHIVE_FOLDER),
        )


def _check_network(builder, name):
    """Find out in seconds what tensorflow-datasets' repeated tries find out in minutes."""
    import requests

    url = next(iter(builder.url_infos or ()), "")
    if url.startswith("http"):
        try:
            requests.head(url, timeout=SECONDS_TO_CONNECT, allow_redirects=True)
        except requests.RequestException as error:
            raise _no_download(name, error) from error


def _download_and_prepare(builder, name, **settings):
    import requests
    import tensorflow_datasets as tfds

    try:
        # Its bars go to the standard error; what it prints beside them says nothing more.
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(**settings)
    except tfds.download.download_manager.NonMatchingChecksumError as error:
        raise DataError(_wrong_checksum(name, settings, str(error))) from error
    except (requests.RequestException, tfds.download.DownloadError) as error:
        raise _no_download(name, error) from error
    except OSError as error:
        raise DataError(
            f"the data set {name!r} cannot be prepared in {builder.data_dir}: {_summary(error)}. "
            "Choose another place with --data-dir"
        ) from error


def _wrong_checksum(name, settings, message):
    archive = next((archive for archive in ARCHIVES if archive in message), "an archive")
    remedy = "Install kerashw again" if settings else "Delete tensorflow-datasets' downloads folder"
    return (
        f"{archive} of the data set {name!r} is damaged: its SHA-256 is not the known one. {remedy}"
    )


def _no_download(name, error):
    return DataError(
        f"the data set {name!r} cannot be downloaded: {_summary(error)}. "
        "It needs the network once; mnist does not"
    )


def _decode(builder):
    """Read the prepared set whole, as arrays; a damaged one is found by its record checksums."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder = Path(builder.data_dir)
    arrays = {}
    for split in ("train", "test"):
        if split not in builder.info.splits:
            raise DataError(f"the data set {builder.name!r} has no split {split!r}")
        try:
            examples = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1))
        except (tf.errors.OpError, OSError) as error:
            raise cache.damaged(folder, f"the split {split!r}: {_summary(error)}") from error
        expected = builder.info.splits[split].num_examples
        if len(examples["label"]) != expected:
            found = f"{len(examples['label'])} of {expected} examples"
            raise cache.damaged(folder, f"the split {split!r} has {found}")
        arrays[f"{split}_images"] = examples["image"][..., 0]
        arrays[f"{split}_labels"] = examples["label"].astype(np.int64)
    return arrays


def _summary(error):
    """Return the first line of an error, without TensorFlow's node names."""
    lines = str(getattr(error, "message", error)).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", lines[0])[:300]
