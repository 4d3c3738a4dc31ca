"""The peer is the same model; where PyTorch is not installed, there is nothing to compare."""

import json
import subprocess
import sys

import numpy as np
import pytest

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS
from kerashw.models import MODELS
from tests.conftest import peer

torch = peer("torch")


def with_weights_of(model, twin):
    """Give the twin a Keras model's weights, in PyTorch's order of axes."""
    weights = iter(model.get_weights())
    flat = model.get_layer("flatten").input.shape[1:]
    first_dense = True
    for layer in twin:
        if not hasattr(layer, "weight"):
            continue
        kernel, bias = next(weights), next(weights)
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            if first_dense and len(flat) == 3:
                # PyTorch flattens the channels first.
                kernel = kernel.reshape(*flat, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            kernel, first_dense = kernel.T, False
        layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel))
        layer.bias.data = torch.from_numpy(bias)
    return twin


@pytest.mark.parametrize("name", LAYERS)
def test_it_has_the_same_parameters_and_with_them_the_same_loss(name, data):
    from kerashw.benchmark.peers import pytorch

    model = MODELS[name]()
    twin = pytorch.build(name)
    assert sum(p.numel() for p in twin.parameters()) == model.count_params()
    # Drawn from the same distribution: uniform, between the same ends.
    for mine, weight in zip(twin.parameters(), model.get_weights(), strict=True):
        assert mine.abs().max().item() == pytest.approx(np.abs(weight).max(), rel=0.03, abs=1e-9)
    images, labels = data.test_images[:300], data.test_labels[:300]
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    expected = model.evaluate(images[..., None] / np.float32(255), labels, verbose=0)
    found = pytorch.test(with_weights_of(model, twin), *pytorch.tensors(images, labels))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("way", ["eager", "autocast"])
def test_it_learns_the_same(way, tmp_path):
    from tests.benchmark.topics.test_training import OPTIONS

    command = [sys.executable, "-m", "kerashw.benchmark.peers.pytorch", way, json.dumps(OPTIONS)]
    ended = subprocess.run(command, input="\n\n", capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    ready, report, last = map(json.loads, ended.stdout.splitlines())
    assert ready == {"ready": True}
    assert 0.91 < report["accuracy"] < 0.93
    assert last["peak_bytes"] > 2**20
