import collections
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerashw.datasets import array_cache, mnist, tfds_preparation
from kerashw.errors import DataError

TRAIN_FILE = "mnist-train.tfrecord-00000-of-00001"
TEST_FILE = "mnist-test.tfrecord-00000-of-00001"


def counted(images, labels):
    """The examples as a multiset: tensorflow-datasets shuffles them when it prepares them."""
    pairs = zip(images, labels, strict=True)
    return collections.Counter((image.tobytes(), int(label)) for image, label in pairs)


def read_idx(archive, header):
    """The bytes of an IDX archive behind its header."""
    with gzip.open(tfds_preparation.ARCHIVE_FOLDER / archive) as file:
        return np.frombuffer(file.read(), "uint8", offset=header)


@pytest.fixture
def prepared(data, tmp_path):
    """A copy of the prepared MNIST, with its cache; its data directory."""
    shutil.copytree(Path(os.environ["TFDS_DATA_DIR"]) / "mnist", tmp_path / "mnist")
    return tmp_path


def folder_of(data_dir):
    return data_dir / "mnist" / "3.0.1"


def flip_one_byte(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_the_examples_are_those_of_the_archives(data, split, prefix):
    images = read_idx(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx(f"{prefix}-labels-idx1-ubyte.gz", 8)
    loaded = getattr(data, f"{split}_images"), getattr(data, f"{split}_labels")
    assert loaded[0].dtype == "uint8"
    assert counted(*loaded) == counted(images, labels)


def test_later_loads_give_the_same_without_tensorflow_datasets(data):
    script = """
import sys
from kerashw.datasets import mnist
data = mnist.load()
assert "tensorflow_datasets" not in sys.modules
print(hash(data.train_images.tobytes() + data.test_labels.tobytes()))
"""
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    same = f"from kerashw.datasets import mnist, cache; array_cache.read = lambda folder: None\n{script}"
    same = same.replace('assert "tensorflow_datasets" not in sys.modules', "")
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment, check=True, timeout=120, capture_output=True,
        ).stdout
        for code in (script, same)
    ]  # fmt: skip
    assert printed[0] == printed[1]


def test_tensorflow_datasets_itself_loads_what_was_prepared(data):
    script = """
import tensorflow_datasets as tfds
train = tfds.load("mnist", split="train", download=False)
assert len(train) == 60000
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize("file", [TRAIN_FILE, TEST_FILE, "dataset_info.json", "features.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: flip_one_byte(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, path.stat().st_size - 1),
        lambda path: path.unlink(),
    ],
    ids=["one byte changed", "cut short", "missing"],
)
def test_a_damaged_prepared_set_is_named(prepared, file, damage):
    damage(folder_of(prepared) / file)
    with pytest.raises(DataError, match=f"{file}.*Delete that folder"):
        mnist.load(data_dir=prepared)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        (TRAIN_FILE, lambda path: flip_one_byte(path, 5_000_000)),
        (TRAIN_FILE, lambda path: os.truncate(path, 1_000_000)),
        (TEST_FILE, lambda path: path.unlink()),
        ("dataset_info.json", lambda path: os.truncate(path, 300)),
        ("dataset_info.json", lambda path: path.unlink()),
    ],
)
def test_damage_is_found_where_nothing_was_cached_before(prepared, file, damage):
    (folder_of(prepared) / array_cache.FILE_NAME).unlink()
    damage(folder_of(prepared) / file)
    with pytest.raises(DataError, match=r"damaged.*Delete that folder"):
        mnist.load(data_dir=prepared)
    assert not (folder_of(prepared) / array_cache.FILE_NAME).exists()


@pytest.mark.parametrize("place", [0, 1_000, 20_000_000, -1])
def test_a_damaged_cache_is_made_anew(prepared, data, place):
    flip_one_byte(folder_of(prepared) / array_cache.FILE_NAME, place)
    again = mnist.load(data_dir=prepared)
    np.testing.assert_array_equal(again.train_images, data.train_images)
    np.testing.assert_array_equal(again.test_labels, data.test_labels)


@pytest.mark.slow
def test_processes_that_start_at_once_prepare_it_once(tmp_path):
    load = f"from kerashw.datasets import mnist; mnist.load(data_dir={str(tmp_path)!r})"
    processes = [subprocess.Popen([sys.executable, "-c", load]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert [folder.name for folder in (tmp_path / "mnist").iterdir()] == ["3.0.1"]


@pytest.mark.parametrize("archive", tfds_preparation.ARCHIVES)
@pytest.mark.parametrize("damage", ["one byte changed", "cut short", "missing"])
def test_a_damaged_archive_is_named_and_nothing_is_prepared(archive, damage, tmp_path, monkeypatch):
    archives = shutil.copytree(tfds_preparation.ARCHIVE_FOLDER, tmp_path / "archives")
    monkeypatch.setattr(tfds_preparation, "ARCHIVE_FOLDER", archives)
    if damage == "missing":
        (archives / archive).unlink()
    elif damage == "cut short":
        os.truncate(archives / archive, 1_000)
    else:
        flip_one_byte(archives / archive, 2_000)
    with pytest.raises(DataError, match=f"{archive}.*Install kerashw again"):
        mnist.load(data_dir=tmp_path / "data")
    assert not list((tmp_path / "data").glob("mnist/3*"))


@pytest.mark.parametrize("name", ["nosuch", "../mnist", "mnist:9.9.9", "", "huggingface:mnist"])
def test_an_unknown_data_set(name, tmp_path):
    with pytest.raises(DataError, match=r"no data set|cannot be used"):
        mnist.load(name, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cifar10", "emnist/letters", "imdb_reviews"])
def test_a_data_set_of_another_shape(name, tmp_path):
    with pytest.raises(DataError, match=r"28×28×1 in 10 classes\. Received: image="):
        mnist.load(name, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_a_download_that_fails(name, tmp_path, monkeypatch):
    # A proxy where nobody listens: no request leaves this machine.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with pytest.raises(DataError, match=f"'{name}' cannot be downloaded.*needs the network"):
        mnist.load(name, data_dir=tmp_path)


class TwoByTwo(tfds.core.GeneratorBasedBuilder):
    """A data set of MNIST's shape that this package has never heard of."""

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
        for key in range(n):
            yield key, {"image": np.full((28, 28, 1), key, "uint8"), "label": key % 10}


def test_another_data_set_of_the_shape_needs_no_further_code(tmp_path):
    for _ in ("prepared", "cached"):
        loaded = mnist.load("two_by_two", data_dir=tmp_path)
        assert loaded.name == "two_by_two:1.0.0"
        assert loaded.classes[3] == "class 3"
        assert loaded.train_images.shape == (20, 28, 28)
        np.testing.assert_array_equal(loaded.test_images[:, 0, 0] % 10, loaded.test_labels)


def test_a_read_only_data_directory_is_read_without_a_cache(prepared, data, monkeypatch):
    (folder_of(prepared) / array_cache.FILE_NAME).unlink()

    def refuse(path):
        raise PermissionError(f"read-only: {path}")

    monkeypatch.setattr(array_cache, "written_whole", refuse)
    again = mnist.load(data_dir=prepared)
    np.testing.assert_array_equal(again.train_labels, data.train_labels)


def test_first_cuts_both_splits(data):
    cut = data.first(train=10, test=3)
    assert (len(cut.train_images), len(cut.train_labels)) == (10, 10)
    assert (len(cut.test_images), len(cut.test_labels)) == (3, 3)
    assert len(data.first().train_images) == 60_000
