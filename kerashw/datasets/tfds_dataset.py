"""Data sets of labelled images of tensorflow-datasets, prepared once and then read from a cache."""

import os
import re
from pathlib import Path

from kerashw.datasets import array_cache, tfds_decoding, tfds_preparation
from kerashw.datasets.prepared_splits import prepare
from kerashw.files import check_utf8, local_path

# A name, the name of a configuration, and a version: "emnist/letters:3.1.0".
NAME = re.compile(r"(\w+)(/[\w.-]+)?(:\d+\.\d+\.\d+)?")


def load(name, data_dir, image_size, memory):
    """Load a data set, and prepare it first if necessary.

    The train split is used to train, and the test split to test; if there is none, the validation
    split. Images with opacity are put on white. The images of EMNIST, which tensorflow-datasets has
    transposed, are turned upright, and its classes are named after their characters.

    Args:
        name: String, a name in tensorflow-datasets.
        data_dir: As in `kerashw.datasets.loading.load`.
        image_size: As in `kerashw.datasets.loading.load`.
        memory: Number of bytes. If the images are larger, they stay on disk.

    Returns:
        Tuple of the name with the version, the arrays of `ImageDataset` by name, or those of a
        single split, `all`, the names of the classes, and the checksums.

    Raises:
        DataError: As `kerashw.datasets.loading.load`.
        InputError: If the data directory is not UTF-8, or `~` stands for no home folder.
    """
    if not NAME.fullmatch(name):
        raise tfds_preparation.unknown_dataset_error(name)
    data_dir = data_folder(data_dir)
    arrays, metadata = _read_cache(name, data_dir, image_size, memory) or _prepare_and_decode(
        name, data_dir, image_size, memory
    )
    return metadata["name"], arrays, tuple(metadata["classes"]), metadata["checksums"]


def is_known(name):
    """Return whether tensorflow-datasets has a data set of this name."""
    if not NAME.fullmatch(name):
        return False
    import tensorflow_datasets as tfds

    builders = tfds.list_builders(with_community_datasets=False)
    return NAME.fullmatch(name)[1] in builders


def data_folder(data_dir):
    """Return the `Path` of the data directory of tensorflow-datasets.

    Args:
        data_dir: String or `Path`, or `None` for the default.

    Raises:
        InputError: If it is not UTF-8, or `~` stands for no home folder.
    """
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    path = local_path("--data-dir", data_dir or default)
    check_utf8("the data directory (--data-dir)", path.absolute())
    return path


def _read_cache(name, data_dir, image_size, memory):
    """Read the cache of the newest version without importing tensorflow-datasets."""
    dataset, _, version = name.partition(":")
    file = array_cache.file_name(image_size)
    found = [path.parent for path in data_dir.glob(f"{dataset}/{version or '*'}/{file}")]
    newest = max(found, key=lambda folder: _version_key(folder.name), default=None)
    return newest and array_cache.read(newest, image_size, memory)


def _version_key(version):
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _prepare_and_decode(name, data_dir, image_size, memory):
    """Prepare the data set if necessary, decode it, and write the cache."""
    builder = tfds_preparation.prepared_builder(name, data_dir)
    metadata = {
        "name": f"{name.partition(':')[0]}:{builder.version}",
        "classes": tfds_decoding.class_names(builder),
    }
    splits = tfds_decoding.decode(builder, image_size)
    return prepare(Path(builder.data_dir), splits, memory, image_size, metadata)
