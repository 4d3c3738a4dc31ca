"""A data set in a folder of pictures, one folder a class.

```
PATH/train/CLASS/*   and  PATH/test/CLASS/*    training and test pictures, or
PATH/CLASS/*                                   all pictures, which are split by a seed
```

Pictures are PNG, JPEG, GIF or BMP files, decoded and turned upright as an exported model decodes
them (`kerashw.preprocessing.picture_scaling`), so a picture is the same in training and serving.
They are grey if all files are stored in grey levels, and else in colour. Files whose names start
with a dot are not read.

`tfds.ImageFolder` reads folders of the first kind too. It stops at the first damaged file without
its name, and does not turn photographs upright; otherwise the images are the same.

The decoded pictures are kept in the data directory, and decoded again if a file has changed.
"""

import hashlib
import logging
import os
from pathlib import Path

import numpy as np

from kerashw.datasets import array_cache, picture_files
from kerashw.datasets.prepared_splits import prepare
from kerashw.datasets.tfds_dataset import data_folder
from kerashw.datasets.tfds_preparation import exclusive_access
from kerashw.errors import DataError
from kerashw.files import check_utf8, local_path

LAYOUTS = "Expected train/CLASS/* and test/CLASS/*, or CLASS/*, with the pictures of each class"
CACHES = "image_folder"
SHOWN = 3  # damaged files that an error names

log = logging.getLogger(__name__)


def load(name, data_dir, image_size, skip_damaged, memory):
    """Load the pictures of a folder.

    Args:
        name: String, the path of the folder.
        data_dir: As in `kerashw.datasets.loading.load`.
        image_size: As in `kerashw.datasets.loading.load`.
        skip_damaged: Boolean; whether to go on without damaged files.
        memory: Number of bytes. If the images are larger, they stay on disk.

    Returns:
        Tuple of the name, the arrays of `ImageDataset` by name, or those of a single split, `all`,
        the names of the classes, and the checksums.

    Raises:
        DataError: If the folder is not as above, a file is damaged, or the pictures have several
            sizes and no size to scale them to.
    """
    path = local_path("--dataset", name)
    check_utf8("the folder of pictures (--dataset)", path.absolute())
    splits, classes = find_pictures(path)
    fingerprint = _fingerprint(splits)
    folder = data_folder(data_dir) / CACHES / _sha256(str(path.resolve()))[:16]
    with exclusive_access(folder):
        arrays, metadata = array_cache.read(folder, image_size, memory) or (None, {})
        if metadata.get("fingerprint") != fingerprint:
            metadata = {"fingerprint": fingerprint, "content": {}, "damaged": []}
            arrays, metadata = _decode(path, splits, folder, image_size, memory, metadata)
    if metadata["damaged"]:
        _check_damaged(path, metadata["damaged"], skip_damaged)
        _check_classes(path, splits, arrays, classes)
    return name, arrays, tuple(classes), metadata["content"]


def find_pictures(path):
    """List the pictures of a folder.

    Args:
        path: `Path` of the folder.

    Returns:
        Pair of a dict, the name of a split → list of (path, number of the class), and the list of
        the names of the classes, in the order of the alphabet.

    Raises:
        DataError: If the folder does not have classes of pictures.
    """
    if not path.is_dir():
        raise DataError(f"there is no folder {path}. {LAYOUTS}")
    folders = _list(path, is_folder=True)
    has_splits = {"train", "test"} <= folders.keys()
    roots = {name: folders[name] for name in ("train", "test")} if has_splits else {"all": path}
    classes = {split: _list(root, is_folder=True) for split, root in roots.items()}
    names = list(next(iter(classes.values())))
    for split, found in classes.items():
        if len(found) < 2:
            raise DataError(
                f"{roots[split]} has {len(found) or 'no'} folder{'s' * (not found)} of pictures. "
                f"{LAYOUTS}, and at least two classes"
            )
        if different := sorted(set(names) ^ set(found)):
            raise DataError(
                f"{path} has the class {different[0]!r} in one of train and test only. "
                "Expected the same classes in both"
            )
    return {split: _pictures(found) for split, found in classes.items()}, names


def _pictures(classes):
    """Return pairs of path and number of the class, in an order that is the same every time.

    It is a random one, so that neighbours in the prepared data set are of all classes.
    """
    pictures = []
    for number, folder in enumerate(classes.values()):
        if nested := next(iter(_list(folder, is_folder=True)), None):
            raise DataError(f"{folder} is a class and has a folder, {nested!r}. {LAYOUTS}")
        files = _list(folder, is_folder=False)
        if not files:
            raise DataError(f"{folder} has no pictures. Add some, or remove the folder. {LAYOUTS}")
        pictures += [(file, number) for file in files.values()]
    return [pictures[i] for i in np.random.default_rng(0).permutation(len(pictures))]


def _list(folder, is_folder):
    """Return the folders, or the other files, in a folder by name; no hidden ones."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.is_dir() == is_folder and not entry.name.startswith(".")
            )
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}. Ask its owner for permission to read it"
        ) from error
    return {name: Path(folder, name) for name in names}


def _decode(path, splits, folder, image_size, memory, metadata):
    found = picture_files.decode(path, splits, image_size, metadata)
    if sum(split.nbytes for split in found.values()) > memory:
        for split in found.values():
            split.exclude_damaged()
    return prepare(folder, found, memory, image_size, metadata)


def _check_damaged(path, names, skip_damaged):
    shown = ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)
    if skip_damaged:
        log.warning("files in %s are left out, %s in all: %s", path, len(names), shown)
        return
    raise DataError(
        f"files in {path} are damaged or no pictures, {len(names):,} in all: {shown}. "
        "Expected PNG, JPEG, GIF or BMP images. Remove them, or go on without them with "
        "--skip-damaged"
    )


def _check_classes(path, splits, arrays, classes):
    """Check that every class still has pictures in every split."""
    for split in splits:
        left = np.bincount(arrays[f"{split}_labels"], minlength=len(classes))
        if not left.all():
            raise DataError(
                f"all files of the class {classes[left.argmin()]!r} in {path} are damaged. "
                "Expected pictures. Replace them, or remove the class"
            )


def _fingerprint(splits):
    """Return what changes with the files: their names, sizes and times."""
    lines = []
    for split, pictures in splits.items():
        for path, number in pictures:
            status = path.stat()
            name = f"{path.parent.name}/{path.name}"
            lines.append(f"{split} {number} {name} {status.st_size} {status.st_mtime_ns}")
    return _sha256("\n".join(lines))


def _sha256(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
