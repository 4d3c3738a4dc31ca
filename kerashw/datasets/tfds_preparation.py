"""Prepare data sets of labelled images with tensorflow-datasets.

Every failure (no such data set, no labelled images, no network, a damaged archive or a damaged
prepared data set) raises one error that says what to do. The functions import tensorflow-datasets
themselves, because loading a cached data set does not need it.
"""

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from kerashw.datasets import array_cache
from kerashw.datasets.tfds_decoding import summary, supervised_keys
from kerashw.errors import DataError
from kerashw.files import lock_folder

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
            or does not have images with class labels.
    """
    with exclusive_access(data_dir):
        _check_readable(data_dir / name.partition(":")[0])
        builder = _builder(name, data_dir)
        supervised_keys(builder)
        if not builder.is_prepared():
            _check_new(Path(builder.data_dir))
            _prepare(builder, name)
    return builder


@contextlib.contextmanager
def exclusive_access(data_dir):
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
            for name in files:
                if not array_cache.is_cache(name):
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
            data_dir / name, f"dataset_info.json: {summary(error)}"
        ) from error
    except (ValueError, AssertionError, KeyError, ImportError) as error:
        raise DataError(f"the data set {name!r} cannot be used: {summary(error)}") from error


def unknown_dataset_error(name):
    """Return the `DataError` for a name that is neither a data set's nor a path's."""
    return DataError(
        f"there is no data set {name!r}, and no folder of that name. Expected mnist, another set "
        "of labelled images in tensorflow-datasets, such as fashion_mnist or cifar10, a folder of "
        "pictures, or a .npz file"
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
            f"the data set {name!r} cannot be prepared in {builder.data_dir}: {summary(error)}. "
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
    reason = f"{urlsplit(request.url).hostname} does not answer" if request else summary(error)
    return DataError(
        f"the data set {name!r} cannot be downloaded: {reason}. "
        "Its download needs the network; mnist needs no download"
    )
