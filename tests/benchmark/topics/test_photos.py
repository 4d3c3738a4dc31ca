import numpy as np
import pytest

from kerashw.benchmark.synthetic_photos import KINDS
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import photos


def test_every_kind_is_measured_and_drawn(data, monkeypatch, tmp_path):
    monkeypatch.setattr(photos, "EPOCHS", {"softmax": 1})
    monkeypatch.setattr(photos, "PHOTOS_PER_KIND", 3)
    monkeypatch.setattr(photos, "SAMPLES", 2)
    kinds = {kind: KINDS[kind] for kind in ("even light", "pencil in a shadow")}
    monkeypatch.setattr(photos, "KINDS", kinds)
    monkeypatch.setattr(photos.mnist, "load", lambda data_dir: data.first(6000))
    messages = []
    (table,) = photos.measure(Setup(figures=tmp_path, progress=messages.append))
    assert [row[0] for row in table.rows] == ["no photograph", *kinds, "all"]
    assert table.rows[-1][1] == pytest.approx((table.rows[1][1] + table.rows[2][1]) / 2)
    assert len(messages) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["photos.png"]


def test_a_photograph_without_a_digit_does_not_stop_the_others(data, monkeypatch):
    originals = np.stack([np.zeros((28, 28), "uint8"), data.test_images[0]])
    monkeypatch.setattr(photos, "KINDS", {"even light": ()})
    _, digits, has_digit = photos.make_and_center(originals, lambda message: None)
    np.testing.assert_array_equal(has_digit["even light"], [False, True])
    np.testing.assert_array_equal(digits["even light"].any((1, 2)), [False, True])


def test_a_photograph_without_a_digit_counts_as_wrong(data, monkeypatch):
    def find_none(originals, progress):
        found = np.zeros(len(originals), bool)
        return None, dict.fromkeys(KINDS, originals), dict.fromkeys(KINDS, found)

    monkeypatch.setattr(photos, "EPOCHS", {"softmax": 1})
    monkeypatch.setattr(photos, "make_and_center", find_none)
    monkeypatch.setattr(photos.mnist, "load", lambda data_dir: data.first(6000))
    (table,) = photos.measure(Setup())
    without_photograph, *others = [row[1] for row in table.rows]
    assert without_photograph > 50
    assert set(others) == {0}
