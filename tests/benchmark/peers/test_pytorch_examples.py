"""The example models in PyTorch are those in Keras. The tests are skipped without PyTorch."""

import keras
import numpy as np
import pytest
from keras import layers

from kerashw.benchmark.example_models import EXAMPLE_MODELS, random_data
from kerashw.benchmark.topic_runner import Setup
from kerashw.benchmark.topics import fit
from kerashw.fitting import fit as kerashw_fit
from kerashw.optimizers import Adam
from tests.benchmark.peers import reported_losses
from tests.conftest import import_peer

torch = import_peer("torch")


def converted(layer):
    """Return the weights of a layer of Keras in PyTorch's order, also of axes."""
    weights = layer.get_weights()
    if isinstance(layer, layers.Embedding):
        return weights
    if isinstance(layer, layers.LSTM):
        kernel, recurrent, bias = weights
        return [kernel.T, recurrent.T, bias, np.zeros_like(bias)]
    if isinstance(layer, layers.MultiHeadAttention):
        kernels = [kernel.reshape(32, 32).T for kernel in weights[::2]]
        biases = [bias.ravel() for bias in weights[1::2]]
        return [np.concatenate(kernels[:3]), np.concatenate(biases[:3]), kernels[3], biases[3]]
    kernel, *bias = weights
    if len(kernel) == 6 * 6 * 32:
        # PyTorch flattens images in the order channels, height, width.
        kernel = kernel.reshape(6, 6, 32, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    if layer.name.startswith("conv2d") and layer.padding == "same":
        kernel = kernel[::-1, ::-1]
    return [np.moveaxis(kernel, (-1, -2), (0, 1)), *bias]


def copy_weights(model, twin):
    """Copy all weights, except those of normalization: these are 0 or 1 in both."""
    norms = torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.LayerNorm
    modules = [module for module in twin.modules() if not isinstance(module, norms)]
    parameters = [one for module in modules for one in module.parameters(recurse=False)]
    copied = [one for one in model.layers if one.weights and "normalization" not in one.name]
    values = [value for layer in copied for value in converted(layer)]
    for parameter, value in zip(parameters, values, strict=True):
        assert parameter.shape == value.shape
        parameter.data = torch.from_numpy(np.ascontiguousarray(value))


@pytest.mark.parametrize("name", EXAMPLE_MODELS)
def test_from_the_same_weights_it_has_the_same_losses(name, tmp_path, monkeypatch):
    from kerashw.benchmark.peers import pytorch_examples

    keras.utils.set_random_seed(0)
    model = EXAMPLE_MODELS[name][0]()
    twin = pytorch_examples.build(name)
    second_biases = 4 * 32 if name == "LSTM" else 0
    parameters = sum(keras.ops.size(weight) for weight in model.trainable_weights)
    assert sum(each.numel() for each in twin.parameters()) == parameters + second_biases
    copy_weights(model, twin)
    if second_biases:
        twin[1].bias_hh_l0.requires_grad = False
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
    for module in twin.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    # PyTorch adds its epsilon, 1e-8, after the correction of the bias, and Keras before it.
    model.compile(Adam(epsilon=3e-10), model.loss)
    x, y = random_data(model, 64)
    # With one batch of all examples, their order does not matter.
    expected = kerashw_fit(model, x, y, batch_size=64, epochs=4, verbose=0).history["loss"]
    if name == "CNN, batch norm, SGD":
        # Keras pads these images at their ends, and PyTorch at their starts: all is upside down.
        x = x[:, ::-1, ::-1]
    np.savez(tmp_path / f"{name}.npz", *keras.tree.flatten(x), y)
    monkeypatch.setattr(pytorch_examples, "build", lambda _: twin)
    options = {"examples": {name: 64}, "batch_sizes": [64], "rounds_each": 4, "epochs": 1}
    found = reported_losses(pytorch_examples.train, options | {"folder": tmp_path})
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_its_epochs_are_compared_with_those_of_kerashw():
    models = {name: (EXAMPLE_MODELS[name][0], 96) for name in ("tabular MLP", "recommender")}
    *_, first, second, table = fit.measure(Setup(), models, (32,), rounds=1)
    for one, job in ((first, "tabular MLP, 32"), (second, "recommender, 32")):
        assert (one.job, one.peer) == (f"{job}, kerashw's Adam", "PyTorch's Adam")
        ours, theirs = one.quality.removeprefix("loss ").split(", ")
        assert abs(float(ours) - float(theirs)) < 0.05  # other weights and orders of the examples
    assert [row[-1] for row in table.rows[:2]] == [first.ratio, second.ratio]
