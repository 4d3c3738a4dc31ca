"""The tests that tensorflow-datasets has for its own data sets."""

import pathlib

import pytest
import tensorflow_datasets as tfds

from kerashw.datasets.diagonals_tfds_builder import SPLITS, Diagonals

# `tfds.testing` imports it; tensorflow-datasets leaves that to its own test dependencies.
pytest.importorskip("dill")


class DiagonalsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Diagonals
    EXAMPLE_DIR = pathlib.Path(__file__).parent  # it must be a folder; nothing is read there
    SPLITS = {name: n for name, (_, n) in SPLITS.items()}  # noqa: RUF012 - read from the class, never changed
    # Class 1 has 98·98 placements only: two independent draws have some of them in common.
    OVERLAPPING_SPLITS = ["test"]  # noqa: RUF012 - as above
