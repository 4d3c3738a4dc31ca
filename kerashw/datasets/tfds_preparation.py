"""Prepare and decode data sets of MNIST's shape with tensorflow-datasets.

Every failure (no such data set, another shape, no network, a damaged archive or a damaged prepared
data set) raises one error that says what to do. The functions import tensorflow-datasets
themselves, because loading a cached data set does not need it.
"""

import contextlib
import io
import json
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from kerashw.datasets import array_cache
from kerashw.errors import DataError
from kerashw.files import lock_folder

IMAGE_SHAPE = (28, 28, 1)
NUM_CLASSES = 10
ARCHIVE_FOLDER = Path(__file__).with_name("archives")
ARCHIVES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
CONNECTION_TIMEOUT = 10  # seconds


def prepared_builder(name, data_dir):
    """Return the builder of a data set, and prepare the data set if necessary.

    Args:
        name: String, a name in tensorflow-datasets.
        data_dir: `Path`, the data directory of tensorflow-datasets.

    Returns:
        Prepared `tfds.core.DatasetBuilder`.

    Raises:
        DataError: If the data set is unknown, cannot be downloaded, prepared or read, is damaged,
            or does not have 28×28 grey images in 10 classes.
    """
    with _exclusive_access(data_dir):
        _check_readable(data_dir / name.partition(":")[0])
        builder = _builder(name, data_dir)
        _check_shape(builder, name)
        if not builder.is_prepared():
            _check_new(Path(builder.data_dir))
            _prepare(builder, name)
    return builder


@contextlib.contextmanager
def _exclusive_access(data_dir):
    """Lock the data directory: other processes wait, and then find the data set prepared."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # tensorflow-datasets reports it more precisely
            data_dir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock_folder(data_dir))
        yield


def _check_readable(folder):
    """Raise an error if another user prepared the data set and nobody else may read it."""

    def raise_error(error):
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise error

    try:
        for parent, _, files in os.walk(folder, onerror=raise_error):
            for name in set(files) - {array_cache.FILE_NAME}:
                Path(parent, name).open("rb").close()
    except PermissionError as error:
        raise DataError(
            f"the prepared data set cannot be read: {error.filename}: {error.strerror}. "
            "Ask its owner for permission to read it, or choose another folder with --data-dir"
        ) from error


def _check_new(folder):
    """Raise an error if tensorflow-datasets does not accept the data set in a folder."""
    if (folder / "dataset_info.json").exists():
        raise DataError(
            f"tensorflow-datasets does not find the data set in {folder}: it takes brackets in a "
            "path for a pattern. Choose another folder with --data-dir"
        )
    if folder.exists():
        raise array_cache.damaged_error(folder, "dataset_info.json is missing")


def _builder(name, data_dir):
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise unknown_dataset_error(name) from error
    except (ParseError, json.JSONDecodeError) as error:
        raise array_cache.damaged_error(
            data_dir / name, f"dataset_info.json: {_summary(error)}"
        ) from error
    except (ValueError, AssertionError, KeyError, ImportError) as error:
        raise DataError(f"the data set {name!r} cannot be used: {_summary(error)}") from error


def unknown_dataset_error(name):
    """Return the `DataError` for a name that tensorflow-datasets does not know."""
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
    """Prepare a data set from the archives in this package or from the network."""
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
    # The archives are extracted to a new folder. In a shared one, tensorflow-datasets would use the
    # incomplete files of a process that was killed.
    # After an error, a thread of tensorflow-datasets may still write while the folder is removed.
    with tempfile.TemporaryDirectory(prefix="kerashw-", ignore_cleanup_errors=True) as download_dir:
        _download_and_prepare(
            builder,
            name,
            download_dir=download_dir,
            download_config=tfds.download.DownloadConfig(manual_dir=ARCHIVE_FOLDER),
        )


def _check_network(builder, name):
    """Raise an error within seconds; tensorflow-datasets would retry for minutes."""
    import requests

    url = next(iter(builder.url_infos or ()), "")
    if url.startswith("http"):
        try:
            requests.head(url, timeout=CONNECTION_TIMEOUT, allow_redirects=True)
        except requests.RequestException as error:
            raise _download_error(name, error) from error


def _download_and_prepare(builder, name, **settings):
    import requests
    import tensorflow as tf
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(**settings)
    except tfds.download.download_manager.NonMatchingChecksumError as error:
        raise _checksum_error(name, str(error), own_archives=bool(settings)) from error
    except (requests.RequestException, tfds.download.DownloadError) as error:
        raise _download_error(name, error) from error
    # tensorflow-datasets raises a RuntimeError for TensorFlow's own errors, such as a full disk.
    except (OSError, RuntimeError, tf.errors.OpError) as error:
        raise DataError(
            f"the data set {name!r} cannot be prepared in {builder.data_dir}: {_summary(error)}. "
            "Choose another folder with --data-dir"
        ) from error


def _checksum_error(name, message, own_archives):
    archive = next((archive for archive in ARCHIVES if archive in message), "an archive")
    remedy = (
        "Install kerashw again" if own_archives else "Delete tensorflow-datasets' downloads folder"
    )
    return DataError(
        f"{archive} of the data set {name!r} is damaged: its SHA-256 is not the known one. {remedy}"
    )


def _download_error(name, error):
    request = getattr(error, "request", None)
    reason = f"{urlsplit(request.url).hostname} does not answer" if request else _summary(error)
    return DataError(
        f"the data set {name!r} cannot be downloaded: {reason}. "
        "Its download needs the network; mnist needs no download"
    )


def decode(builder):
    """Decode a whole prepared data set.

    Args:
        builder: Prepared `tfds.core.DatasetBuilder`.

    Returns:
        Dict of `train_images`, `train_labels`, `test_images` and `test_labels`. The images are
        uint8 (N, 28, 28), the labels int64 (N,).

    Raises:
        DataError: If a split is missing, or damaged according to the checksums of its records.
    """
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
            raise array_cache.damaged_error(
                folder, f"the split {split!r}: {_summary(error)}"
            ) from error
        expected = builder.info.splits[split].num_examples
        if len(examples["label"]) != expected:
            found = f"{len(examples['label'])} of {expected} examples"
            raise array_cache.damaged_error(folder, f"the split {split!r} has {found}")
        arrays[f"{split}_images"] = examples["image"][..., 0]
        arrays[f"{split}_labels"] = examples["label"].astype(np.int64)
    return arrays


def _summary(error):
    """Return the first line of an error, without TensorFlow's node names."""
    lines = str(getattr(error, "message", error)).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", lines[0])[:300]
