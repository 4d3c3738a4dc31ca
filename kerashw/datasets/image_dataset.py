"""`ImageDataset`: labelled images, the form in which every data set is loaded."""

import dataclasses
from typing import Any

import numpy as np

from kerashw.datasets.stored_array import StoredArray
from kerashw.datasets.train_test_split import split_rows


@dataclasses.dataclass(frozen=True)
class ImageDataset:
    """A data set of decoded, labelled images.

    Args:
        name: String, the name and the version in tensorflow-datasets, as `mnist:3.0.1`, or a path.
        train_images: uint8 array (N, height, width) of grey images, or (N, height, width, 3) of
            colour images; a `kerashw.datasets.stored_array.StoredArray` if the data set is too
            large for the memory.
        train_labels: int64 array (N,), each in [0, classes).
        test_images: As `train_images`, for M test images.
        test_labels: int64 array (M,).
        classes: Tuple of strings, the names of the classes.
        checksums: Dict of SHA-256, by the name of the file or of the split.
        are_files: Boolean; whether the images were decoded from a folder of files.
        validation_images: As `train_images`, for validation examples; `None` without.
        validation_labels: int64 array; `None` without validation examples.
    """

    name: str
    train_images: Any
    train_labels: np.ndarray
    test_images: Any
    test_labels: np.ndarray
    classes: tuple
    checksums: dict
    are_files: bool = False
    validation_images: Any = None
    validation_labels: np.ndarray | None = None

    @property
    def image_shape(self):
        """The shape of one image as the models take it, (height, width, channels)."""
        return (*self.train_images.shape[1:], 1)[:3]

    def first(self, train=None, test=None):
        """Return the first `train` and `test` examples as a data set; `None` keeps all of them."""
        return dataclasses.replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )

    def hold_out(self, share, seed):
        """Return the data set with a share of the training examples as validation examples.

        Args:
            share: Float in (0, 1), the share of each class.
            seed: Non-negative integer, for the choice.

        Raises:
            DataError: If a class has one training example only.
        """
        parts = split_rows(self.train_labels, self.classes, share, seed)
        (images, labels), (held_images, held_labels) = (
            (select_rows(self.train_images, rows), self.train_labels[rows]) for rows in parts
        )
        return dataclasses.replace(
            self,
            train_images=images,
            train_labels=labels,
            validation_images=held_images,
            validation_labels=held_labels,
        )


def select_rows(images, rows):
    """Return some images: a copy, or, of a `StoredArray`, another view of the file."""
    return images.select(rows) if isinstance(images, StoredArray) else images[rows]
