"""MNIST equals its archives, and other data sets are loaded or refused."""

import collections
import gzip
import hashlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerashw.datasets import array_cache, mnist, tfds_preparation
from kerashw.errors import DataError, InputError
from tests.datasets.damage import flip_one_byte


def counted(images, labels):
    """Return the examples as a multiset, because tensorflow-datasets shuffles them."""
    pairs = zip(images, labels, strict=True)
    return collections.Counter((image.tobytes(), int(label)) for image, label in pairs)


def read_idx(archive, header):
    """Return the bytes of an IDX archive after its header."""
    with gzip.open(tfds_preparation.ARCHIVE_FOLDER / archive) as file:
        return np.frombuffer(file.read(), "uint8", offset=header)


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_the_examples_are_those_of_the_archives(data, split, prefix):
    images = read_idx(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx(f"{prefix}-labels-idx1-ubyte.gz", 8)
    loaded = getattr(data, f"{split}_images"), getattr(data, f"{split}_labels")
    assert loaded[0].dtype == "uint8"
    assert counted(*loaded) == counted(images, labels)


def test_cached_data_are_loaded_without_tensorflow_datasets(data):
    script = """
import hashlib, sys
from kerashw.datasets import mnist
data = mnist.load()
assert "tensorflow_datasets" not in sys.modules
print(hashlib.sha256(data.train_images.tobytes() + data.test_labels.tobytes()).hexdigest())
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    content = data.train_images.tobytes() + data.test_labels.tobytes()
    assert ended.stdout.strip() == hashlib.sha256(content).hexdigest()


def test_data_without_a_cache_equal_cached_data(data, monkeypatch):
    def refuse(path):
        raise PermissionError(f"read-only: {path}")

    monkeypatch.setattr(array_cache, "read", lambda *arguments: None)
    monkeypatch.setattr(array_cache, "atomic_write", refuse)
    decoded = mnist.load()
    for split in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(decoded, split), getattr(data, split))


def test_tensorflow_datasets_loads_the_prepared_data_set(data):
    train = tfds.load("mnist", split="train", data_dir=os.environ["TFDS_DATA_DIR"], download=False)
    assert len(train) == 60_000


@pytest.mark.slow
def test_parallel_processes_prepare_the_data_set_once(tmp_path):
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
def test_an_unknown_data_set_is_refused(name, tmp_path):
    with pytest.raises(DataError, match=r"no data set|no folder|cannot be used"):
        mnist.load(name, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10", "emnist/letters"])
def test_a_failed_download_is_reported(name, tmp_path, monkeypatch):
    # Nothing listens on the port of this proxy, so that no request is sent to the network.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with pytest.raises(DataError, match=f"'{name}' cannot be downloaded.*needs the network"):
        mnist.load(name, data_dir=tmp_path)


def test_first_shortens_both_splits(data):
    cut = data.first(train=10, test=3)
    assert (len(cut.train_images), len(cut.train_labels)) == (10, 10)
    assert (len(cut.test_images), len(cut.test_labels)) == (3, 3)
    assert len(data.first().train_images) == 60_000


@pytest.mark.parametrize(
    ("data_dir", "variable"),
    [(None, ""), ("~/Jürgens Daten/[1] *", ""), (None, "~/Jürgens Daten/[1] *")],
)
def test_the_folder_of_the_data(data, tmp_path, monkeypatch, data_dir, variable):
    (tmp_path / "Jürgens Daten").mkdir()
    for name in ("tensorflow_datasets", "Jürgens Daten/[1] *"):
        (tmp_path / name).symlink_to(os.environ["TFDS_DATA_DIR"])
    if data_dir or variable:
        (tmp_path / "tensorflow_datasets").unlink()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TFDS_DATA_DIR", variable)
    loaded = mnist.load(data_dir=data_dir)
    np.testing.assert_array_equal(loaded.test_labels, data.test_labels)


def test_a_home_folder_that_is_not_known():
    with pytest.raises(InputError, match=r"--data-dir ~nosuch/data .* Choose a folder without ~"):
        mnist.load(data_dir="~nosuch/data")
