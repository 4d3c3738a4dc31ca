"""The builder passes the tests of tensorflow-datasets, and its data set can be loaded."""

import pathlib

import pytest
import tensorflow_datasets as tfds

from kerashw.datasets import diagonals, diagonals_tfds_builder

# `tfds.testing` imports dill, which only the tests of tensorflow-datasets require.
pytest.importorskip("dill")

# Fewer images than in the real data set.
SPLITS = {"train": (0, 300), "test": (1, 100)}


@pytest.fixture(autouse=True)
def _few_images(monkeypatch):
    monkeypatch.setattr(diagonals_tfds_builder, "SPLITS", SPLITS)


def test_tensorflow_datasets_loads_the_generated_images(tmp_path):
    builder = tfds.builder("diagonals", data_dir=tmp_path)
    assert builder.builder_config.name == "binary_100"
    train = tfds.load("diagonals/binary_20", split="train", data_dir=tmp_path)
    generated = diagonals.generate(300, 20)
    expected = {image.tobytes(): label - 1 for image, label, _ in zip(*generated, strict=True)}
    for example in train.take(50).as_numpy_iterator():
        assert expected[(example["image"] // 255).tobytes()] == example["label"]


class DiagonalsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = diagonals_tfds_builder.Diagonals
    EXAMPLE_DIR = pathlib.Path(__file__).parent  # It must be a folder; nothing is read there.
    SPLITS = {name: n for name, (_, n) in SPLITS.items()}  # noqa: RUF012 - read from the class
    # Class 1 has only 98·98 placements, so two independent splits have some of them in common.
    OVERLAPPING_SPLITS = ["test"]  # noqa: RUF012 - as above
