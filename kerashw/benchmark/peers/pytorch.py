"""The peer PyTorch: the same models, trained by the loop of PyTorch's own examples.

    python -m kerashw.benchmark.peers.pytorch eager|compiled|autocast OPTIONS

is a process of `kerashw.benchmark.process_rounds.take_rounds`. It imports no TensorFlow. The data are in
memory as floats, channels last, as suits PyTorch's convolutions on a CPU; a batch is indexed out
of them, without a `DataLoader`, which would cost more. The mean training loss, the test loss and
the test accuracy are gathered, which a run's history needs; the training accuracy, which ours and
Keras' gather too, is not.

Reference:
    pytorch/examples, `mnist/main.py`.
"""

import sys

import torch
from torch import nn
from torch.nn import functional

from kerashw.benchmark.process_rounds import contend
from kerashw.datasets import mnist

TEST_BATCH_SIZE = 1000  # as in the examples


def build(name, num_classes=10):
    """Build the twin of a model of `kerashw.models`, its weights drawn from Keras' distribution.

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


def train(turn, options, way="eager"):
    """Train and test a model on MNIST, an epoch a turn.

    Args:
        turn: Context manager, from `kerashw.benchmark.process_rounds.contend`.
        options: Dict of `model`, `rounds`, `batch_size`, `seed` and `data_dir`.
        way: "eager", "compiled" by `torch.compile`, or "autocast" to bfloat16.
    """
    torch.manual_seed(options["seed"])
    data = mnist.load(data_dir=options["data_dir"])
    images, labels = tensors(data.train_images, data.train_labels)
    test_images, test_labels = tensors(data.test_images, data.test_labels)
    model = build(options["model"])
    if way == "compiled":
        model = torch.compile(model)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95, eps=1e-6)
    for _ in range(options["rounds"]):
        with turn() as report:
            model.train()
            total = 0.0
            for batch in torch.randperm(len(images)).split(options["batch_size"]):
                optimizer.zero_grad()
                # Anew in each step, as it keeps its copies of the weights until its end.
                with autocast(way):
                    loss = functional.cross_entropy(model(images[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            report["loss"] = total / len(images)
            with autocast(way):
                report["test_loss"], report["accuracy"] = test(model, test_images, test_labels)


def autocast(way):
    """Return a context manager in which that way computes in bfloat16, if it does."""
    return torch.autocast("cpu", torch.bfloat16, enabled=way == "autocast")


def test(model, images, labels):
    """Return a model's mean loss and its accuracy.

    Args:
        model: `torch.nn.Module`.
        images: Float tensor (N, 1, 28, 28).
        labels: Integer tensor (N,).

    Returns:
        Pair of floats.
    """
    model.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for x, y in zip(images.split(TEST_BATCH_SIZE), labels.split(TEST_BATCH_SIZE), strict=True):
            logits = model(x)
            loss += functional.cross_entropy(logits, y, reduction="sum").item()
            right += (logits.argmax(1) == y).sum().item()
    return loss / len(labels), right / len(labels)


def tensors(images, labels):
    """Return uint8 images (N, 28, 28) as floats, channels last in memory, and the labels."""
    floats = torch.from_numpy(images).unsqueeze(1).float().div_(255)
    return floats.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels)


if __name__ == "__main__":
    contend(lambda turn, options: train(turn, options, *sys.argv[1:-1]))
