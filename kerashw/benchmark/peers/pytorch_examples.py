"""Training of the example models with PyTorch: the same models, as users of PyTorch write them.

    python -m kerashw.benchmark.peers.pytorch_examples OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`. It does not import TensorFlow.

The models are those of `kerashw.benchmark.example_models`, but classifiers return logits, as usual
in PyTorch. They run eagerly, and `torch.optim.Adam` with its defaults trains all of them. Like that
of `pytorch.py`, the loop selects batches of tensors in memory by index, and computes the mean
training loss.
"""

import functools
import itertools
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from kerashw.benchmark.process_rounds import run_worker

TOKENS, USERS = 5000, 1000  # as in `example_models.py`
# The name of a model → its loss, if that is not the cross-entropy of classes.
LOSSES = {
    "tabular MLP": functional.binary_cross_entropy_with_logits,
    "recommender": functional.mse_loss,
    "autoencoder": functional.mse_loss,
}


class Recommender(nn.Module):
    """Two embeddings of 32 numbers, whose product predicts a rating."""

    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(USERS, 32), nn.Embedding(USERS, 32)
        self.rating = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, user, item):
        """Return the ratings (N, 1) of integers (N,) and (N,)."""
        return self.rating(self.user(user) * self.item(item))


class AverageOverWords(nn.Module):
    """The average of the vectors of words."""

    def forward(self, vectors):
        """Return the averages (N, features) of (N, words, features)."""
        return vectors.mean(dim=1)


class LastState(nn.LSTM):
    """An LSTM that returns its last state. PyTorch's has two biases, Keras' has one."""

    def forward(self, vectors):
        """Return the states (N, units) after (N, words, features)."""
        _, (state, _) = super().forward(vectors)
        return state[-1]


def build(name):
    """Build a model of `kerashw.benchmark.example_models` in PyTorch.

    Args:
        name: A key of `EXAMPLE_MODELS`.

    Returns:
        `torch.nn.Module` of inputs with channels first, with Keras' distribution of weights.

    Example:
        >>> sum(parameter.numel() for parameter in build("tabular MLP").parameters())
        6209
    """
    model = Recommender() if name == "recommender" else nn.Sequential(*_layers(name))
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.uniform_(module.weight, -0.05, 0.05)
        elif isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            nn.init.xavier_uniform_(module.weight_ih_l0)
            nn.init.orthogonal_(module.weight_hh_l0)
            nn.init.zeros_(module.bias_hh_l0)
            # The gates are those of input and of forgetting, the cell, and that of the output.
            module.bias_ih_l0.data = torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(32)
    return model.to(memory_format=torch.channels_last)


def _layers(name):
    words = functools.partial(nn.Embedding, TOKENS, 32)
    encoder = {"dim_feedforward": 64, "dropout": 0, "layer_norm_eps": 1e-3, "batch_first": True}
    layers = {
        "tabular MLP": lambda: [*_dense(30, 64), *_dense(64, 64), nn.Linear(64, 1)],
        "autoencoder": lambda: [*_dense(784, 64), nn.Linear(64, 784), nn.Sigmoid()],
        "MLP with dropout": lambda: [
            *[*_dense(784, 512), nn.Dropout(0.2)],
            *[*_dense(512, 512), nn.Dropout(0.2), nn.Linear(512, 10)],
        ],
        "text, average": lambda: [words(), AverageOverWords(), *_dense(32, 32), nn.Linear(32, 2)],
        "CNN": lambda: [
            *[nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Flatten(), nn.Linear(32 * 6 * 6, 10)],
        ],
        "attention": lambda: [
            *[words(), nn.TransformerEncoderLayer(32, 4, **encoder)],
            *[AverageOverWords(), nn.Linear(32, 2)],
        ],
        "LSTM": lambda: [words(), LastState(32, 32, batch_first=True), nn.Linear(32, 2)],
        "Conv1D, batch norm": lambda: [
            *[nn.Conv1d(6, 16, 5, stride=2), nn.BatchNorm1d(16, 1e-3, 0.01), nn.ReLU()],
            *[nn.Conv1d(16, 32, 5, stride=2), nn.BatchNorm1d(32, 1e-3, 0.01), nn.ReLU()],
            *[nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 6)],
        ],
        "CNN, batch norm, SGD": lambda: [
            *[*_normalized(3, 16), *_normalized(16, 32), *_normalized(32, 32)],
            *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)],
        ],
    }
    return layers[name]()


def _dense(inputs, units):
    return nn.Linear(inputs, units), nn.ReLU()


def _normalized(channels, filters):
    convolution = nn.Conv2d(channels, filters, 3, stride=2, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(filters, 1e-3, 0.01), nn.ReLU()


def train(timed_round, options):
    """Train models, one after the other.

    Args:
        timed_round: Function that returns a context manager, from
            `kerashw.benchmark.process_rounds.run_worker`.
        options: Dict of `examples`, whose keys are the names of models; `batch_sizes`, for each
            model; `rounds_each`; `epochs`, in each round; and `folder`, of a file of data for each
            model.
    """
    torch.manual_seed(0)
    for name, batch_size in itertools.product(options["examples"], options["batch_sizes"]):
        inputs, targets = tensors(Path(options["folder"], f"{name}.npz"))
        model = build(name)
        optimizer = torch.optim.Adam(model.parameters())
        loss = LOSSES.get(name, functional.cross_entropy)
        for _ in range(options["rounds_each"]):
            with timed_round() as report:
                for _ in range(options["epochs"]):
                    batches = torch.randperm(len(targets)).split(batch_size)
                    report["loss"] = _train_epoch(model, optimizer, loss, inputs, targets, batches)


def _train_epoch(model, optimizer, loss_function, inputs, targets, batches):
    """Train a model on batches of indices; return the mean loss."""
    total = 0.0
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_function(model(*(each[batch] for each in inputs)), targets[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(targets)


def tensors(path):
    """Load the inputs of a model, with channels first, and the targets from a file `.npz`."""
    with np.load(path) as arrays:
        *inputs, targets = map(torch.from_numpy, arrays.values())
    # Moved without a copy, images keep the channels-last layout, which suits convolutions on a CPU.
    return [each.movedim(-1, 1) if each.ndim > 2 else each for each in inputs], targets


if __name__ == "__main__":
    run_worker(train)
