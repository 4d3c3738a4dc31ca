"""Data sets of tensorflow-datasets of any shape are loaded, or refused with one line."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerashw.datasets.loading import load
from kerashw.datasets.stored_array import StoredArray
from kerashw.errors import DataError, InputError
from tests.datasets.damage import flip_one_byte
from tests.datasets.pictures import write_folder

CLASSES = ["ant", "bee", "cat"]


def images(n, shape):
    random = np.random.default_rng(n)
    return [random.integers(0, 256, shape, "uint8") for _ in range(n)]


class ColourPhotos(tfds.core.GeneratorBasedBuilder):
    """Pictures in colour, in the form of CIFAR-10, with other names of the features."""

    VERSION = tfds.core.Version("1.0.0")
    SHAPE, SPLITS = (9, 7, 3), {"train": 12, "test": 6}

    def _info(self):
        features = {
            "picture": tfds.features.Image(shape=self.SHAPE),
            "kind": tfds.features.ClassLabel(names=CLASSES),
            "key": tfds.features.Scalar(np.int64),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), supervised_keys=("picture", "kind")
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(n) for name, n in self.SPLITS.items()}

    def _generate_examples(self, n):
        for key, image in enumerate(self.images(n)):
            yield key, {"picture": image, "kind": key % 3, "key": key}

    def images(self, n):
        return images(n, self.SHAPE)


class SeveralSizes(ColourPhotos):
    """Pictures of several sizes, in one split."""

    SHAPE, SPLITS = (None, None, 3), {"train": 12}

    def images(self, n):
        return [images(1, (10 + key, 20, 3))[0] for key in range(n)]


class Transparent(ColourPhotos):
    """Pictures with opacity, all of it 0, whose test is called validation."""

    SHAPE, SPLITS = (9, 7, 4), {"train": 12, "validation": 6}

    def images(self, n):
        return [np.concatenate([x[..., :3], 0 * x[..., :1]], -1) for x in super().images(n)]


class Sentences(tfds.core.GeneratorBasedBuilder):
    """A data set without images."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), supervised_keys=("text", "label")
        )

    def _split_generators(self, dl_manager):
        return {}

    def _generate_examples(self):
        yield 0, {}


def counted(images):
    return sorted(image.tobytes() for image in images)


@pytest.mark.parametrize("memory", [None, 1])
def test_pictures_in_colour(tmp_path, memory):
    for _ in range(2):  # decoded, and from the cache
        data = load("colour_photos", tmp_path, memory=memory)
        assert isinstance(data.train_images, StoredArray) == bool(memory)
        assert (data.name, data.classes) == ("colour_photos:1.0.0", tuple(CLASSES))
        assert data.image_shape == (9, 7, 3)
        assert counted(data.train_images[np.arange(12)]) == counted(images(12, (9, 7, 3)))
        assert np.bincount(data.test_labels).tolist() == [2, 2, 2]


def test_damage_to_images_on_disk_is_found_at_the_start(tmp_path):
    load("colour_photos", tmp_path)
    flip_one_byte(tmp_path / "colour_photos" / "1.0.0" / "kerashw.npz", 1_000)
    data = load("colour_photos", tmp_path, memory=1)
    assert counted(data.train_images[np.arange(12)]) == counted(images(12, (9, 7, 3)))


def test_transposed_images_are_turned_upright(tmp_path, monkeypatch):
    monkeypatch.setattr("kerashw.datasets.tfds_decoding.TRANSPOSED", {"colour_photos"})
    data = load("colour_photos", tmp_path)
    assert counted(data.train_images.transpose(0, 2, 1, 3)) == counted(images(12, (9, 7, 3)))


@pytest.mark.parametrize(
    ("config", "first_label", "number", "names"),
    [
        ("letters", 1, 26, {0: "A", 25: "Z"}),
        ("balanced", 0, 47, {9: "9", 10: "A", 35: "Z", 36: "a", 38: "d", 46: "t"}),
        ("byclass", 0, 62, {9: "9", 10: "A", 36: "a", 61: "z"}),
        ("digits", 0, 10, {0: "0", 9: "9"}),
    ],
)
def test_the_classes_of_emnist_are_characters(
    tmp_path, monkeypatch, config, first_label, number, names
):
    """In the archive, the labels of the letters begin at 1."""
    emnist = tfds.image_classification.EMNIST
    expected = images(number, (28, 28, 1))

    def examples():
        for key, image in enumerate(expected):
            yield key, {"image": image, "label": first_label + key}

    def splits(builder, downloads):
        return {name: examples() for name in ("train", "test")}

    monkeypatch.setattr(emnist, "_split_generators", splits)
    tfds.builder(f"emnist/{config}", data_dir=tmp_path).download_and_prepare()
    data = load(f"emnist/{config}", tmp_path)
    assert len(data.classes) == len(set(data.classes)) == number
    assert {label: data.classes[label] for label in names} == names
    upright = expected[3][..., 0].T
    np.testing.assert_array_equal(data.train_images[data.train_labels == 3][0], upright)


def test_another_size_has_a_cache_of_its_own(tmp_path):
    for size in ((4, 5), None, (4, 5)):
        assert load("colour_photos", tmp_path, image_size=size).image_shape[:2] == (size or (9, 7))
    folder = tmp_path / "colour_photos" / "1.0.0"
    assert {path.name for path in folder.glob("*.npz")} == {"kerashw.npz", "kerashw-4x5.npz"}


def test_several_sizes_need_one(tmp_path):
    with pytest.raises(DataError, match=r"several sizes, such as .*--image-size 64"):
        load("several_sizes", tmp_path)
    data = load("several_sizes", tmp_path, image_size=(8, 8), test_share=0.25)
    assert data.train_images.shape == (9, 8, 8, 3)
    assert np.bincount(data.test_labels).tolist() == [1, 1, 1]


def test_transparent_pictures_are_on_white(tmp_path):
    data = load("transparent", tmp_path)
    assert data.test_images.shape == (6, 9, 7, 3)
    assert (data.test_images == 255).all()


def test_a_data_set_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"uint8 images, grey or in colour.*Received: text="):
        load("sentences", tmp_path)


def test_pictures_that_cannot_be_kept_are_refused(tmp_path, monkeypatch):
    load("colour_photos", tmp_path)

    def refuse(*arguments):
        raise PermissionError(13, "read-only")

    monkeypatch.setattr("kerashw.datasets.array_cache.write_pieces", refuse)
    with pytest.raises(DataError, match=r"larger than --memory.*read-only.*--data-dir"):
        load("colour_photos", tmp_path, image_size=(3, 3), memory=1)


def test_a_folder_and_a_data_set_of_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "colour_photos")
    assert load("colour_photos", tmp_path / "data").classes == tuple(CLASSES)
    assert load("./colour_photos", tmp_path / "data").classes == ("blue", "red")
    (tmp_path / "colour_photos").rename(tmp_path / "mine")
    assert load("mine", tmp_path / "data").classes == ("blue", "red")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image_size": (0, 4)}, "at least 1 pixel"),
        ({"test_share": 1}, "between 0 and 1"),
        ({"name": "diagonals", "image_size": (4, 4)}, "Leave --image-size out"),
    ],
)
def test_odd_arguments_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        load(**settings)
