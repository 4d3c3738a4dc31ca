"""Training with PyTorch: the same models, in the loop of PyTorch's own examples.

    python -m kerashw.benchmark.peers.pytorch eager|compiled|autocast OPTIONS

is a worker process of `kerashw.benchmark.process_rounds.run_rounds`. It does not import TensorFlow.

The data are floats in memory in the channels-last layout, which suits PyTorch's convolutions on a
CPU. Batches are selected by index, without a `DataLoader`, which would take longer. The loop
computes the mean training loss, the test loss and the test accuracy, which the history of a run
needs. It does not compute the training accuracy, which kerashw and Keras compute too.

Reference:
    pytorch/examples, `mnist/main.py`.
"""

import sys

import torch
from torch import nn
from torch.nn import functional

from kerashw.benchmark.process_rounds import run_worker
from kerashw.datasets import mnist

TEST_BATCH_SIZE = 1000  # as in the examples


def build(name, num_classes=10):
    """Build a model of `kerashw.models` in PyTorch, with weights from Keras' distribution.

    Args:
        name: "softmax", "mlp" or "convnet".
        num_classes: Integer.

    Returns:
        `torch.nn.Module`: floats (N, 1, 28, 28) → logits (N, classes).

    Example:
        >>> sum(parameter.numel() for parameter in build("mlp").parameters())
        669706
    """
    pixels = 28 * 28
    layers = {
        "softmax": lambda: [nn.Flatten(), nn.Linear(pixels, num_classes)],
        "mlp": lambda: [
            nn.Flatten(),
            *[nn.Linear(pixels, 512), nn.ReLU(), nn.Dropout(0.2)],
            *[nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2)],
            nn.Linear(512, num_classes),
        ],
        "convnet": lambda: [
            *[nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()],
            *[nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()],
            *[nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5)],
            nn.Linear(128, num_classes),
        ],
    }
    model = nn.Sequential(*layers[name]())
    for layer in model:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model.to(memory_format=torch.channels_last)


def train(timed_round, options, mode="eager"):
    """Train and test a model on MNIST, one epoch per round.

    Args:
        timed_round: Function that returns a context manager, from
            `kerashw.benchmark.process_rounds.run_worker`.
        options: Dict of `model`, `rounds`, `batch_size`, `seed` and `data_dir`.
        mode: "eager", "compiled" for `torch.compile`, or "autocast" for autocast to bfloat16.
    """
    torch.manual_seed(options["seed"])
    data = mnist.load(data_dir=options["data_dir"])
    images, labels = tensors(data.train_images, data.train_labels)
    test_images, test_labels = tensors(data.test_images, data.test_labels)
    model = build(options["model"])
    if mode == "compiled":
        model = torch.compile(model)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95, eps=1e-6)
    for _ in range(options["rounds"]):
        with timed_round() as report:
            model.train()
            total = 0.0
            for batch in torch.randperm(len(images)).split(options["batch_size"]):
                optimizer.zero_grad()
                # One context per step, because it caches converted weights until it ends.
                with autocast(mode):
                    loss = functional.cross_entropy(model(images[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            report["loss"] = total / len(images)
            with autocast(mode):
                report["test_loss"], report["accuracy"] = test(model, test_images, test_labels)


def autocast(mode):
    """Return a context manager that enables bfloat16 if the mode is "autocast"."""
    return torch.autocast("cpu", torch.bfloat16, enabled=mode == "autocast")


def test(model, images, labels):
    """Return the mean loss and the accuracy of a model.

    Args:
        model: `torch.nn.Module`.
        images: Float tensor (N, 1, 28, 28).
        labels: Integer tensor (N,).

    Returns:
        Pair of floats.
    """
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for x, y in zip(images.split(TEST_BATCH_SIZE), labels.split(TEST_BATCH_SIZE), strict=True):
            logits = model(x)
            loss += functional.cross_entropy(logits, y, reduction="sum").item()
            correct += (logits.argmax(1) == y).sum().item()
    return loss / len(labels), correct / len(labels)


def tensors(images, labels):
    """Convert images, uint8 (N, 28, 28), to channels-last floats (N, 1, 28, 28), and labels."""
    floats = torch.from_numpy(images).unsqueeze(1).float().div_(255)
    return floats.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels)


if __name__ == "__main__":
    run_worker(lambda timed_round, options: train(timed_round, options, *sys.argv[1:-1]))
