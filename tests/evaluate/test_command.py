"""`python -m kerashw.evaluate`: the numbers are those of the run that trained the model."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.evaluate.__main__ import main
from kerashw.preprocessing import scale_files
from tests.datasets.pictures import write_picture
from tests.small_run import SETTINGS, small_run
from tests.train.processes import assert_refused, history_of


@pytest.fixture(scope="module")
def output(data, tmp_path_factory):
    return small_run(tmp_path_factory)


@pytest.fixture
def evaluate(run_here):
    return lambda *arguments: run_here(main, *arguments)


def test_the_table_is_that_of_the_training(data, output, evaluate, tmp_path):
    pictures = tmp_path / "pictures"
    arguments = ["--test-examples", SETTINGS.test_examples, "--output", pictures]
    ended = evaluate(output / "mlp", *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    last = history_of(output, "mlp")["epochs"][-1]
    table = f"MLP 200 {last['test_loss']:.4f} {100 * last['test_accuracy']:.2f} %"
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert table in lines
    counts = np.bincount(data.test_labels[:200])
    for number, count in enumerate(counts):
        assert any(line.startswith(f"{number} {count} ") for line in lines)
    assert sorted(file.name for file in pictures.iterdir()) == ["confusion.png", "mistakes.png"]


def write_classes(root, images, names):
    for split in ("train", "test"):
        for number, (image, name) in enumerate(zip(images, names, strict=True)):
            write_picture(root / split / name / f"{number}.png", image[..., None])
    return root


@pytest.mark.slow
def test_classes_are_found_by_their_names(data, output, evaluate, tmp_path):
    # A folder with two of the ten classes, and with images of another size.
    rows = np.flatnonzero(np.isin(data.test_labels, [3, 7]))[:40]
    images = data.test_images[rows].repeat(2, axis=1).repeat(2, axis=2)
    folder = write_classes(tmp_path / "pictures", images, data.test_labels[rows].astype(str))
    arguments = ["--data-dir", tmp_path / "data"]
    ended = evaluate(output / "mlp", "--dataset", folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    (row,) = [line for line in lines if line[:1] == ["MLP"]]
    scaled = scale_files([tf.io.encode_png(image[..., None]) for image in images], 28, 28, 1)
    served = tf.saved_model.load(output / "exports" / "mlp" / "1").signatures["pixels"]
    right = served(image=scaled[..., 0])["class"] == data.test_labels[rows]
    assert (int(row[1]), row[3]) == (len(rows), f"{100 * np.mean(right):.2f}")
    folder = write_classes(tmp_path / "other", images[:4], ["3", "cat", "3", "cat"])
    ended = evaluate(output / "mlp", "--dataset", folder, *arguments)
    assert_refused(ended, "Choose another data set. Received: cat")


def test_what_does_not_fit_is_refused_in_one_line(output, evaluate, tmp_path):
    images, labels = np.zeros((4, 28, 28, 3), "uint8"), np.array([0, 1, 0, 1])
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(tmp_path / "colour.npz", **arrays)
    ended = evaluate(output / "mlp", "--dataset", tmp_path / "colour.npz")
    assert_refused(ended, "the model takes images of shape (28, 28, 1)")
    assert_refused(evaluate(output / "mlp", "--test-examples", 0), "test_examples must be")
