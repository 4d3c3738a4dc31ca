"""The PyTorch models are those of Keras. The tests are skipped if PyTorch is not installed."""

import json
import subprocess
import sys

import numpy as np
import pytest

from kerashw.benchmark.hardware_limits.epoch_arithmetic import LAYERS
from kerashw.models import MODELS
from tests.benchmark.peers import OPTIONS
from tests.conftest import import_peer

torch = import_peer("torch")


def copy_weights(model, twin):
    """Copy the weights of a Keras model to its PyTorch twin, in PyTorch's order of axes."""
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
                # PyTorch flattens images in the order channels, height, width.
                kernel = kernel.reshape(*flat, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            kernel, first_dense = kernel.T, False
        layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel))
        layer.bias.data = torch.from_numpy(bias)
    return twin


@pytest.mark.parametrize("name", LAYERS)
def test_it_has_the_same_parameters_and_the_same_loss(name, data):
    from kerashw.benchmark.peers import pytorch

    model = MODELS[name]()
    twin = pytorch.build(name)
    assert sum(p.numel() for p in twin.parameters()) == model.count_params()
    # The initial weights have the same distribution: uniform, with the same limits.
    for mine, weight in zip(twin.parameters(), model.get_weights(), strict=True):
        assert mine.abs().max().item() == pytest.approx(np.abs(weight).max(), rel=0.03, abs=1e-9)
    images, labels = data.test_images[:300], data.test_labels[:300]
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    expected = model.evaluate(images[..., None] / np.float32(255), labels, verbose=0)
    found = pytorch.test(copy_weights(model, twin), *pytorch.tensors(images, labels))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("mode", ["eager", "autocast"])
def test_it_reaches_the_same_accuracy(mode):
    command = [sys.executable, "-m", "kerashw.benchmark.peers.pytorch", mode, json.dumps(OPTIONS)]
    result = subprocess.run(command, input="\n\n", capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    ready, report, last = map(json.loads, result.stdout.splitlines())
    assert ready == {"ready": True}
    assert 0.91 < report["accuracy"] < 0.93
    assert last["peak_bytes"] > 2**20
