"""Folders of pictures are read with their classes, and odd ones are refused with one line."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from kerashw.datasets.loading import load
from kerashw.datasets.stored_array import StoredArray
from kerashw.errors import DataError
from kerashw.preprocessing import scale_files
from tests.datasets.pictures import COLORS, picture, write_folder, write_picture


@pytest.fixture
def root(tmp_path):
    return write_folder(tmp_path / "pictures")


def counted(images, labels):
    return sorted(
        (image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)
    )


def load_here(root, tmp_path, **settings):
    return load(str(root), data_dir=tmp_path / "data", **settings)


def test_classes_are_split_by_the_seed(root, tmp_path):
    data = load_here(root, tmp_path, test_share=0.4)
    assert data.classes == ("blue", "red")
    assert data.image_shape == (12, 10, 3)
    assert np.bincount(data.train_labels).tolist() == [3, 3]
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    # A blue picture is more blue than red.
    brighter = data.train_images[..., 2].mean((1, 2)) > data.train_images[..., 0].mean((1, 2))
    np.testing.assert_array_equal(brighter, data.train_labels == 0)
    # Together they are all pictures, whatever the seed.
    other = load_here(root, tmp_path, test_share=0.4, seed=1)
    parts = [
        counted(
            np.concatenate([part.train_images, part.test_images]),
            np.concatenate([part.train_labels, part.test_labels]),
        )
        for part in (data, other)
    ]
    assert parts[0] == parts[1]
    assert counted(data.test_images, data.test_labels) != counted(
        other.test_images, other.test_labels
    )


def test_folders_of_splits_have_the_images_of_tensorflow_datasets(tmp_path):
    root = tmp_path / "pictures"
    for split, count in (("train", 4), ("test", 2)):
        write_folder(root / split, count)
    data = load_here(root, tmp_path)
    theirs = tfds.ImageFolder(str(root))
    assert list(data.classes) == theirs.info.features["label"].names
    for split in ("train", "test"):
        examples = list(tfds.as_numpy(theirs.as_dataset(split=split, as_supervised=True)))
        found = getattr(data, f"{split}_images"), getattr(data, f"{split}_labels")
        assert counted(*found) == counted(*zip(*examples, strict=True))


def test_pictures_are_scaled_as_those_that_a_model_is_served(root, tmp_path):
    write_picture(root / "red" / "large.png", picture(COLORS["red"], (40, 90)))
    data = load_here(root, tmp_path, image_size=(8, 6))
    files = [path.read_bytes() for path in root.glob("*/*.png")]
    served = scale_files(files, 8, 6).numpy()
    loaded = np.concatenate([data.train_images, data.test_images])
    assert sorted(map(bytes, served)) == sorted(map(bytes, loaded))


def test_grey_pictures_have_one_channel(tmp_path):
    root = write_folder(tmp_path / "grey", colors={"dark": (40,), "light": (200,)})
    data = load_here(root, tmp_path)
    assert data.train_images.shape == (8, 12, 10)
    write_picture(root / "dark" / "colour.png", picture((40, 50, 60)))
    assert load_here(root, tmp_path).image_shape == (12, 10, 3)


def test_decoded_pictures_are_kept_until_a_file_changes(root, tmp_path, monkeypatch):
    data = load_here(root, tmp_path)
    monkeypatch.setattr(tf.io, "read_file", None)  # nothing is decoded again
    kept = load_here(root, tmp_path)
    np.testing.assert_array_equal(kept.train_images, data.train_images)
    assert kept.checksums == data.checksums
    monkeypatch.undo()
    write_picture(root / "red" / "0.png", picture((0, 0, 0)))
    changed = load_here(root, tmp_path)
    assert changed.checksums != data.checksums


def test_damaged_and_odd_files_are_named_or_left_out(root, tmp_path, caplog):
    whole = (root / "red" / "0.png").read_bytes()
    (root / "red" / "cut.png").write_bytes(whole[: len(whole) // 2])
    for name in ("a.txt", "b.txt", "c.txt"):
        (root / "blue" / name).write_text("text")
    (root / "blue" / ".hidden").write_text("text")
    for _ in range(2):  # decoded, and from the cache
        with pytest.raises(DataError, match=r"no pictures, 4 in all: blue/a.txt, .*, …\."):
            load_here(root, tmp_path)
    for memory in (None, 1):
        data = load_here(root, tmp_path / str(memory), skip_damaged=True, memory=memory)
        assert len(data.train_images) + len(data.test_images) == 10
    assert "left out, 4 in all: blue/a.txt, " in caplog.text


def test_pictures_larger_than_the_memory_stay_on_disk(root, tmp_path):
    expected = load_here(root, tmp_path / "1")
    for _ in range(2):  # decoded, and from the cache
        data = load_here(root, tmp_path / "2", memory=1)
        assert isinstance(data.train_images, StoredArray)
        rows = np.arange(len(data.train_images))
        np.testing.assert_array_equal(data.train_images[rows], expected.train_images)
        np.testing.assert_array_equal(data.test_labels, expected.test_labels)
        assert data.checksums == expected.checksums


def write_one_class(root):
    write_folder(root, colors={"red": (200, 0, 0)})


def write_nothing(root):
    root.mkdir()


def write_class_of_one(root):
    write_folder(root)
    write_picture(root / "green" / "1.png", picture((0, 200, 0)))


def write_empty_class(root):
    write_folder(root)
    (root / "green").mkdir()


def write_folders_of_folders(root):
    write_folder(root / "a" / "b")


def write_two_folders_of_folders(root):
    write_folder(root / "a")
    write_folder(root / "b")


def write_class_missing_in_the_test(root):
    write_folder(root / "train")
    write_folder(root / "test")
    write_picture(root / "train" / "green" / "1.png", picture((0, 200, 0)))


def write_several_sizes(root):
    write_folder(root)
    write_picture(root / "red" / "z.png", picture((200, 0, 0), (20, 30)))


def write_text_only(root):
    for name in COLORS:
        (root / name).mkdir(parents=True)
        (root / name / "a.png").write_text("text")


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda root: None, "there is no folder"),
        (write_nothing, "has no folders of pictures"),
        (write_one_class, "at least two classes"),
        (write_class_of_one, "the class 'green' has one image"),
        (write_empty_class, "green has no pictures"),
        (write_folders_of_folders, "at least two classes"),
        (write_class_missing_in_the_test, "the class 'green' in one of train and test only"),
        (write_several_sizes, "12×10 and 20×30.*--image-size 64"),
        (write_text_only, "no picture that can be decoded"),
        (
            lambda root: write_folder(root / "a") and write_folder(root / "b"),
            "has a folder, 'blue'",
        ),
    ],
)
def test_an_odd_folder_is_refused(tmp_path, write, words):
    write(tmp_path / "pictures")
    with pytest.raises(DataError, match=words) as error:
        load_here(tmp_path / "pictures", tmp_path)
    assert len(str(error.value).splitlines()) == 1
