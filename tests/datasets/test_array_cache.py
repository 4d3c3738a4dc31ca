"""Damage to a prepared data set or to its cache is found; a small data set shows it."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerashw.datasets import array_cache, mnist
from kerashw.errors import DataError
from tests.datasets.damage import flip_one_byte
from tests.places import as_other_user, read_only, small_disk

TRAIN_FILE = "small_digits-train.tfrecord-00000-of-00001"
TEST_FILE = "small_digits-test.tfrecord-00000-of-00001"


class SmallDigits(tfds.core.GeneratorBasedBuilder):
    """A small data set of MNIST's shape that the package does not know."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(28, 28, 1)),
            "label": tfds.features.ClassLabel(names=[f"class {n}" for n in range(10)]),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(20), "test": self._generate_examples(5)}

    def _generate_examples(self, n):
        random = np.random.default_rng(n)
        for key in range(n):
            image = random.integers(0, 256, (28, 28, 1), "uint8")
            image[0, 0] = key
            yield key, {"image": image, "label": key % 10}


def load(data_dir):
    return mnist.load("small_digits", data_dir=data_dir)


@pytest.fixture
def expected(tmp_path):
    """The data set, which is prepared and cached in `tmp_path`."""
    return load(tmp_path)


@pytest.fixture
def folder(expected, tmp_path):
    return tmp_path / "small_digits" / "1.0.0"


def assert_equal(loaded, expected):
    for split in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(loaded, split), getattr(expected, split))


def test_the_cache_has_the_prepared_data(expected, tmp_path):
    cached = load(tmp_path)
    assert cached.name == expected.name == "small_digits:1.0.0"
    assert cached.classes[3] == "class 3"
    assert cached.train_images.shape == (20, 28, 28)
    np.testing.assert_array_equal(cached.test_images[:, 0, 0] % 10, cached.test_labels)
    assert_equal(cached, expected)


def cut_off_the_last_byte(path):
    os.truncate(path, path.stat().st_size - 1)


def flip_the_middle_byte(path):
    flip_one_byte(path, path.stat().st_size // 2)


def cut_in_half(path):
    os.truncate(path, path.stat().st_size // 2)


def delete(path):
    path.unlink()


@pytest.mark.parametrize("file", [TRAIN_FILE, TEST_FILE, "dataset_info.json", "features.json"])
@pytest.mark.parametrize("damage", [flip_the_middle_byte, cut_off_the_last_byte, delete])
def test_a_damaged_prepared_data_set_is_named(folder, tmp_path, file, damage):
    damage(folder / file)
    with pytest.raises(DataError, match=f"{file}.*Delete that folder"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        (TRAIN_FILE, flip_the_middle_byte),
        (TRAIN_FILE, cut_in_half),
        (TEST_FILE, delete),
        ("dataset_info.json", cut_in_half),
        ("dataset_info.json", delete),
    ],
)
def test_damage_is_found_without_a_cache(folder, tmp_path, file, damage):
    (folder / array_cache.file_name()).unlink()
    damage(folder / file)
    with pytest.raises(DataError, match=r"damaged.*Delete that folder"):
        load(tmp_path)
    assert not (folder / array_cache.file_name()).exists()


@pytest.mark.parametrize("position", [0, 1_000, 10_000, -1])
def test_damage_to_the_cache_does_not_change_the_data(expected, folder, tmp_path, position):
    flip_one_byte(folder / array_cache.file_name(), position)
    assert_equal(load(tmp_path), expected)


def test_a_read_only_folder_gets_no_cache(expected, folder, tmp_path, monkeypatch):
    (folder / array_cache.file_name()).unlink()

    def refuse(path):
        raise PermissionError(f"read-only: {path}")

    monkeypatch.setattr(array_cache, "atomic_write", refuse)
    assert_equal(load(tmp_path), expected)


@pytest.mark.parametrize("cached", [True, False])
def test_the_data_set_of_another_user_is_read(public_folder, cached):
    expected = load(public_folder)
    folder = public_folder / "small_digits" / "1.0.0"
    if not cached:
        (folder / array_cache.file_name()).unlink()
    with read_only(public_folder), as_other_user():
        assert_equal(load(public_folder), expected)
    assert (folder / array_cache.file_name()).exists() == cached


@pytest.mark.parametrize(
    "forbidden", ["", "small_digits", "small_digits/1.0.0", f"small_digits/1.0.0/{TRAIN_FILE}"]
)
def test_a_data_set_that_another_user_may_not_read_is_named(public_folder, forbidden):
    load(public_folder)
    (public_folder / forbidden).chmod(0)
    message = f"{public_folder / forbidden}.*Permission denied.*Ask its owner.*--data-dir"
    with as_other_user(), pytest.raises(DataError, match=message):
        load(public_folder)
    (public_folder / forbidden).chmod(0o755)


def test_a_cache_that_another_user_may_not_read_is_not_needed(public_folder, caplog):
    expected = load(public_folder)
    (public_folder / "small_digits" / "1.0.0" / array_cache.file_name()).chmod(0)
    caplog.clear()  # what tensorflow-datasets logs while it prepares the set
    with as_other_user():
        assert_equal(load(public_folder), expected)
    assert array_cache.__name__ not in [record.name for record in caplog.records]


@pytest.mark.parametrize("kilobytes", [4, 16])
def test_a_full_disk_keeps_no_part_of_a_data_set(tmp_path, kilobytes):
    with small_disk(tmp_path, kilobytes) as resize:
        with pytest.raises(DataError, match=r"cannot be prepared in .*No space left.*--data-dir"):
            load(tmp_path)
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        resize(1000)
        assert len(load(tmp_path).train_images) == 20
