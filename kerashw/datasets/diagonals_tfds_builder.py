"""The images of Question 3 as a data set of tensorflow-datasets.

Importing this module registers the builder, as the import of any module with a
`tfds.core.GeneratorBasedBuilder` does. `tfds.load("diagonals")` works after the import.

Example:
    >>> import kerashw.datasets.diagonals_tfds_builder
    >>> import tensorflow_datasets as tfds
    >>> tfds.builder("diagonals/binary_20").info.features["image"].shape
    (20, 20, 1)

Reference:
    tensorflow-datasets, *Writing custom datasets*:
    https://www.tensorflow.org/datasets/add_dataset
"""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from kerashw.datasets import diagonals

# Split → its seed and its number of images.
SPLITS = {"train": (0, 5_000), "test": (1, 1_000)}


@dataclasses.dataclass
class DiagonalsConfig(tfds.core.BuilderConfig):
    """The size of the images.

    Args:
        image_size: Integer, height and width in pixels.
    """

    image_size: int = 100


class Diagonals(tfds.core.GeneratorBasedBuilder):
    """Binary images with one diagonal segment of three pixels, or with two segments.

    The features are `image`, uint8 (size, size, 1) with pixels 0 and 255; `label`, 0 for one
    segment and 1 for two; and `segments`, int64 (2, 2), the row and the column of the upper left
    corner of the square around each segment, -1 where there is no second segment. Nothing is
    downloaded.

    Example:
        >>> [config.name for config in Diagonals.BUILDER_CONFIGS]
        ['binary_100', 'binary_20']
    """

    VERSION = tfds.core.Version(diagonals.VERSION)
    BUILDER_CONFIGS = [  # noqa: RUF012 - tensorflow-datasets requires a list
        DiagonalsConfig(
            name=f"binary_{size}", description=f"Images of {size}×{size}.", image_size=size
        )
        for size in (100, 20)
    ]

    def _info(self):
        size = self.builder_config.image_size
        features = {
            "image": tfds.features.Image(shape=(size, size, 1), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=list(diagonals.CLASSES)),
            "segments": tfds.features.Tensor(shape=(2, 2), dtype=np.int64),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Binary images with one diagonal segment of three pixels, or with two at a "
            "distance of at least three pixels; every placement of a class is equally likely.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(*split) for name, split in SPLITS.items()}

    def _generate_examples(self, seed, n):
        generated = diagonals.generate(n, image_size=self.builder_config.image_size, seed=seed)
        for key, (image, label, segments) in enumerate(zip(*generated, strict=True)):
            yield key, {"image": 255 * image, "label": label - 1, "segments": segments}
