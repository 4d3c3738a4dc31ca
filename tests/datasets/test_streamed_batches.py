"""Images on disk have the order, the batches and the training of images in memory."""

import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from kerashw.datasets import epoch_order as order_rule
from kerashw.datasets.epoch_order import epoch_order, window_length
from kerashw.datasets.stored_array import Pieces, read_stored, write_npz
from kerashw.datasets.streamed_batches import StreamedBatches, image_batches
from kerashw.datasets.train_test_split import split_rows
from kerashw.errors import DataError
from kerashw.fitting import evaluate, fit, predict
from tests.conftest import compiled

N, SHAPE = 430, (6, 5)


@pytest.fixture
def small_windows(monkeypatch):
    """Windows of 100 examples and blocks of 7, so that small data sets have several."""
    monkeypatch.setattr(order_rule, "WINDOW_BYTES", 100 * 30)
    monkeypatch.setattr(order_rule, "BLOCK_BYTES", 7 * 30)


@pytest.fixture
def arrays():
    random = np.random.default_rng(0)
    return random.integers(0, 256, (N, *SHAPE), "uint8"), random.integers(0, 10, N)


@pytest.fixture
def stored(arrays, tmp_path):
    np.savez(tmp_path / "images.npz", images=arrays[0])
    return read_stored(tmp_path / "images.npz")["images"]


@hypothesis.given(
    n=st.integers(1, 500),
    size=st.integers(1, 5000),
    seed=st.integers(0, 9),
    epoch=st.integers(0, 9),
)
def test_an_order_is_a_permutation_that_depends_on_seed_and_epoch(n, size, seed, epoch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_rule, "WINDOW_BYTES", 50_000)
        patch.setattr(order_rule, "BLOCK_BYTES", 5_000)
        order = epoch_order(n, seed, epoch, size)
        np.testing.assert_array_equal(order, epoch_order(n, seed, epoch, size))
        assert sorted(order) == list(range(n))
        if n > 20:
            assert (order != epoch_order(n, seed, epoch + 1, size)).any()
            assert (order != epoch_order(n, seed + 1, epoch, size)).any()


def test_small_data_sets_are_shuffled_completely():
    complete = np.arange(60_000, dtype=np.int32)
    np.random.default_rng((3, 4)).shuffle(complete)
    np.testing.assert_array_equal(epoch_order(60_000, 3, 4, example_bytes=784), complete)


def test_a_window_has_whole_blocks_from_all_over_the_data_set(small_windows):
    order = epoch_order(7_000, seed=0, epoch=0, example_bytes=30)
    window = window_length(30)
    blocks = order[:window] // 7
    numbers, counts = np.unique(blocks, return_counts=True)
    assert (counts == 7).sum() >= window // 7 - 1
    assert numbers.min() < 300
    assert numbers.max() > 700


@hypothesis.given(rows=st.lists(st.integers(0, 40), max_size=60), start=st.integers(0, 30))
def test_rows_of_a_file_are_those_of_the_array(tmp_path_factory, rows, start):
    path = tmp_path_factory.getbasetemp() / "rows.npz"
    array = np.random.default_rng(0).integers(0, 2**40, (71, 3, 2))
    if not path.exists():
        write_npz(path, [("x", Pieces(array.shape, "<i8", [array[:9], array[9:]]))])
        np.testing.assert_array_equal(np.load(path)["x"], array)
    rows = np.array(rows, int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerashw.datasets.stored_array.MOST_GAP_BYTES", 150)
        patch.setattr("kerashw.datasets.stored_array.MOST_READ_BYTES", 200)
        found = read_stored(path)["x"][start:].select(np.arange(41))[rows]
    np.testing.assert_array_equal(found, array[start:][rows])


def test_a_file_that_is_cut_short_is_named(stored):
    with stored.path.open("r+b") as file:
        file.truncate(2_000)
    with pytest.raises(DataError, match=r"images\.npz cannot be read: it was .* cut short"):
        stored[np.arange(N)]


@pytest.mark.parametrize("batch_size", [1, 32, 43, 1000])
def test_the_pieces_of_an_epoch_are_its_batches(small_windows, arrays, stored, batch_size):
    expected = image_batches(*arrays, batch_size, seed=1)
    streamed = image_batches(stored, arrays[1], batch_size, seed=1)
    assert isinstance(streamed, StreamedBatches)
    order = streamed.order(epoch=2)
    np.testing.assert_array_equal(order, expected.order(epoch=2))
    at = 0
    for piece in streamed.pieces(order):
        assert piece.start == at
        assert len(piece.order) <= max(window_length(30), batch_size)
        for step in range(piece.start, piece.stop):
            rows = piece.order[(step - at) * streamed.batch_size :][: streamed.batch_size]
            for found, wanted in zip(
                streamed.gather(piece.arrays, rows), expected.batch(order, step), strict=True
            ):
                np.testing.assert_array_equal(found, wanted)
        at = piece.stop
    assert at == expected.steps == streamed.steps


def small_model():
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    return compiled(keras.Sequential([keras.Input((*SHAPE, 1)), *layers]))


def test_training_from_the_disk_equals_training_in_memory(small_windows, arrays, stored):
    results = []
    for images in (arrays[0], stored):
        model = small_model()
        train = image_batches(images, arrays[1], 32, seed=0)
        test = image_batches(images[:55], arrays[1][:55], 20)
        history = fit(model, train, epochs=2, verbose=0, validation_data=test).history
        fit(model, train, epochs=3, initial_epoch=2, verbose=0)  # resumed
        results.append((history, model.get_weights(), evaluate(model, test, verbose=0)))
        results[-1] += (predict(model, test).tolist(),)
    for found, expected in zip(results[1][1], results[0][1], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert results[1][0] == results[0][0]
    assert results[1][2:] == results[0][2:]


@hypothesis.given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=5),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_a_split_depends_on_the_seed_and_keeps_the_shares(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, test = split_rows(labels, "abcde"[: len(counts)], share, seed)
    again = split_rows(labels, "abcde"[: len(counts)], share, seed)
    np.testing.assert_array_equal(test, again[1])
    assert sorted([*train, *test]) == list(range(len(labels)))
    for number, count in enumerate(counts):
        tested = int((labels[test] == number).sum())
        assert 1 <= tested <= count - 1
        assert abs(tested - share * count) <= 1


MEASURE = """
import re, sys
from kerashw.startup import use_tensorflow
use_tensorflow()
from kerashw.datasets.loading import load
from kerashw.datasets.streamed_batches import image_batches
from kerashw.fitting import fit
from kerashw.models import compiled_model
data = load(sys.argv[1], memory=2**20)
model = compiled_model("softmax", 0, data.image_shape, len(data.classes))
batches = image_batches(data.train_images, data.train_labels, 128, seed=0)
fit(model, batches, epochs=1, verbose=0)
# Without the pages of mapped files, which the system drops when memory is needed.
print(re.search(r"RssAnon:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_data_set(tmp_path):
    random = np.random.default_rng(0)
    piece = random.integers(0, 256, (2**14, 64, 64), "uint8")  # 64 MiB
    labels = np.arange(2**14) % 10
    used = []
    for pieces in (8, 16):
        path = tmp_path / f"{pieces}.npz"
        shape = (pieces * len(piece), *piece.shape[1:])
        arrays = {"x_train": (shape, [piece] * pieces), "y_train": (shape[:1], [labels] * pieces)}
        arrays |= {"x_test": (piece.shape, [piece]), "y_test": (labels.shape, [labels])}
        types = {"x": "|u1", "y": "<i8"}
        members = [(name, Pieces(n, types[name[0]], x)) for name, (n, x) in arrays.items()]
        write_npz(path, members)
        command = [sys.executable, "-c", MEASURE, path]
        ended = subprocess.run(command, check=True, timeout=300, capture_output=True, text=True)
        used.append(int(ended.stdout) * 1024)
        path.unlink()
    # 512 MiB more of images need less than 128 MiB more of memory.
    assert used[1] - used[0] < 2**27
