"""`TF_CONFIG` is read as TensorFlow reads it, and refused where it is invalid."""

import json

import pytest

from kerashw import distribution
from kerashw.distribution.tf_config import read_cluster
from kerashw.errors import InputError
from tests.distribution.clusters import WORKERS, config


def test_the_chief_is_the_first_worker(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(type="worker", index=1))
    assert read_cluster() == (("a:1", "b:2"), 1)
    monkeypatch.setenv("TF_CONFIG", config({"chief": ["c:3"], **WORKERS}, type="worker", index=0))
    assert read_cluster() == (("c:3", "a:1", "b:2"), 1)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        config(),
        config({}, type="worker", index=0),
        config({"worker": []}, type="worker", index=0),
        json.dumps({"sparseCluster": {"worker": {"0": "a:1"}}}),
        json.dumps({"task": {"type": "worker", "index": 0}}),
        config(type="worker", index=2),
        config(type="worker", index="x"),
        config(type="evaluator", index=0),
        config({"ps": ["a:1"], **WORKERS}, type="worker", index=0),
        config({"chief": ["a:1", "b:2"]}, type="chief", index=0),
        config({"worker": ["a", "b:2"]}, type="worker", index=0),
        config({"worker": ["a:0", "b:2"]}, type="worker", index=0),
    ],
)
def test_an_invalid_tf_config_is_shown(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    for name in ("auto", "multiworker"):
        with pytest.raises(InputError, match="TF_CONFIG does not list the workers") as raised:
            distribution.choose_strategy(name)
        assert text in str(raised.value)
