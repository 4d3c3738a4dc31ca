"""Decode the images and the labels of a prepared data set of tensorflow-datasets."""

import contextlib
import re
from pathlib import Path

import numpy as np

from kerashw.datasets import array_cache, emnist
from kerashw.datasets.prepared_splits import BATCH_SIZE, Split, several_sizes_error
from kerashw.errors import DataError

# Data sets whose images are transposed. They are turned upright, as the images that are served.
TRANSPOSED = {emnist.NAME}


def supervised_keys(builder):
    """Return the names of the features of a data set that are the image and its class.

    Args:
        builder: `tfds.core.DatasetBuilder`.

    Raises:
        DataError: If it has no such features.
    """
    import tensorflow_datasets as tfds

    keys = builder.info.supervised_keys or ("image", "label")
    features = dict(getattr(builder.info.features, "items", dict)())
    image, label = (features.get(key) if isinstance(key, str) else None for key in keys[:2])
    shape = getattr(image, "shape", None) or (None,)
    if (
        not isinstance(image, tfds.features.Image)
        or not isinstance(label, tfds.features.ClassLabel)
        or shape[-1] not in (1, 3, 4)
        or image.np_dtype != np.uint8
    ):
        raise DataError(
            f"the data set {builder.info.full_name!r} cannot be used: expected uint8 images, grey "
            f"or in colour, with a class label each. Received: {keys[0]}={image}, {keys[1]}={label}"
        )
    return tuple(keys)


def class_names(builder):
    """Return the list of the names of a data set's classes, in the order of their labels.

    Args:
        builder: `tfds.core.DatasetBuilder` with a class label.
    """
    if builder.name == emnist.NAME:
        return list(emnist.CLASSES[builder.builder_config.name])
    _, label = supervised_keys(builder)
    return builder.info.features[label].names


def decode(builder, image_size=None):
    """Return the splits of a prepared data set, to be decoded.

    Args:
        builder: Prepared `tfds.core.DatasetBuilder`.
        image_size: Pair of integers, height and width, to scale the images to; by default the size
            of all images.

    Returns:
        Dict of `kerashw.datasets.prepared_splits.Split` by name: `train` and `test`, or `all` if
        the data set has one split. `validation` stands for a missing `test`.

    Raises:
        DataError: If a split is missing, or damaged according to the checksums of its records, or
            if the images have several sizes and no size to scale them to.
    """
    found = builder.info.splits
    test = next((name for name in ("test", "validation") if name in found), None)
    if "train" not in found:
        raise DataError(f"the data set {builder.name!r} has no split 'train'")
    names = {"train": "train", "test": test} if test else {"all": "train"}
    return {name: _split(builder, split, image_size) for name, split in names.items()}


def _split(builder, split, image_size):
    _, channels = _image_shape(builder)
    channels = min(channels, 3)
    length = builder.info.splits[split].num_examples
    folder = Path(builder.data_dir)
    size = tuple(image_size or _own_size(builder, split))

    def batches():
        count = 0
        for sizes, images, labels in _scaled(builder, split, size, channels):
            other = sizes[(sizes != size).any(axis=1)]
            if not image_size and len(other):
                raise several_sizes_error(repr(builder.name), size, other[0])
            count += len(labels)
            yield images, labels
        if count != length:
            found = f"{count} of {length} examples"
            raise array_cache.damaged_error(folder, f"the split {split!r} has {found}")

    return Split(length, size if channels == 1 else (*size, channels), batches)


def _first_label(builder):
    is_emnist = builder.name == emnist.NAME
    return emnist.FIRST_LABEL.get(builder.builder_config.name, 0) if is_emnist else 0


def _image_shape(builder):
    """Return the height and the width of the images, `None` if they vary, and the channels."""
    image, _ = supervised_keys(builder)
    height, width, channels = builder.info.features[image].shape
    return (width, height) if builder.name in TRANSPOSED else (height, width), channels


def _own_size(builder, split):
    """Return the size of all images, or of the first one."""
    size, channels = _image_shape(builder)
    if None not in size:
        return size
    first = next(_scaled(builder, split, (1, 1), channels), None)
    return (1, 1) if first is None else tuple(map(int, first[0][0]))


def _scaled(builder, split, size, channels):
    """Yield the sizes (n, 2) of the images of a split, the scaled images, and the labels."""
    import tensorflow as tf

    from kerashw.preprocessing.picture_scaling import scale_picture

    image, label = supervised_keys(builder)
    is_transposed = builder.name in TRANSPOSED
    first_label = _first_label(builder)

    def scale(example):
        picture = example[image]
        picture = tf.transpose(picture, (1, 0, 2)) if is_transposed else picture
        scaled = scale_picture(picture, *size, channels)
        return {image: scaled, label: example[label], "size": tf.shape(picture)[:2]}

    with _damage_as_error(builder, split):
        examples = builder.as_dataset(split=split)
        # A graph for each image takes as long as its decoding.
        is_scaled = is_transposed or _image_shape(builder) != (size, channels)
        if is_scaled:
            examples = examples.map(scale, tf.data.AUTOTUNE, deterministic=True)
        for batch in examples.batch(BATCH_SIZE).prefetch(1).as_numpy_iterator():
            images, labels = batch[image], batch[label] - first_label
            sizes = batch["size"] if is_scaled else np.tile(size, (len(labels), 1))
            yield sizes, images[..., 0] if channels == 1 else images, labels


@contextlib.contextmanager
def _damage_as_error(builder, split):
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        raise array_cache.damaged_error(
            Path(builder.data_dir), f"the split {split!r}: {summary(error)}"
        ) from error


def summary(error):
    """Return the first line of an error, without TensorFlow's node names.

    Args:
        error: Exception.
    """
    lines = str(getattr(error, "message", error)).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", lines[0])[:300]
