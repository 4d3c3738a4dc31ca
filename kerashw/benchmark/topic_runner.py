"""The topics of the benchmark, and the function that runs them.

A topic is a module of `kerashw.benchmark.topics`. Its function `measure(setup)` yields comparisons,
tables and remarks, the results of `kerashw.benchmark.result_table`.
"""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path

from kerashw.benchmark.result_table import print_results, results_to_json
from kerashw.console import quiet_import, show_status
from kerashw.files import write_json
from kerashw.startup import import_keras

# The name of the module → what it measures, and about how long this takes on two cores.
TOPICS = {
    "machine": "rates of the machine, and the least time of each epoch at these; 15 seconds",
    "startup": "the whole training command, and loading MNIST; 2 minutes",
    "training": "epochs of softmax regression and the MLP; 4 minutes",
    "convnet": "epochs of the ConvNet, in float32 and bfloat16; 10 minutes",
    "fit": "epochs of ten models of other people's kind, beside Keras' fit and PyTorch; 12 minutes",
    "layers": "epochs of models with kerashw's layers, beside Keras' layers; 30 seconds",
    "growth": "epochs by number of examples and by batch size; 6 minutes",
    "backprop": "the gradient of the dual network; 10 seconds",
    "diagonals": "counting diagonals; 10 seconds",
    "serving": "the server under load; 2 minutes",
    "scaling": "several replicas and workers on this machine; 4 minutes",
    "streaming": "images on disk: epochs, order, memory; 20 GiB of disk, 15 minutes",
    "photos": "accuracy on synthetic photographs of digits; 2 minutes",
}
DEFAULT_TOPICS = ("machine", "startup", "training", "convnet", "backprop", "diagonals")


@dataclasses.dataclass(frozen=True)
class Setup:
    """The settings that a topic needs.

    Args:
        data_dir: String, as in `kerashw.datasets.mnist.load`.
        figures: `Path` of the folder for figures; `None` to draw none.
        progress: Function of a string that describes the current step.
    """

    data_dir: str | None = None
    figures: Path | None = None
    progress: Callable = lambda message: None


def run_topics(topics, setup, console, json_path=None):
    """Measure topics, and print the results of each as soon as it is finished.

    Args:
        topics: Collection of names from `TOPICS`. They run in the order of `TOPICS`.
        setup: `Setup`; the console replaces its `progress`.
        console: `rich.console.Console`.
        json_path: String, the file that is written after each topic; `None` to write no file.
    """
    with show_status(console, "Starting TensorFlow"), quiet_import():
        import_keras()
        from kerashw.environment import environment
    versions_and_device = environment()
    console.print("{cpu}, {cores} cores; ".format(**versions_and_device["device"]), end="")
    versions = versions_and_device["versions"].items()
    console.print(", ".join(f"{name} {version}" for name, version in versions))
    results = []
    for topic in TOPICS:
        if topic in topics:
            found = _measure(topic, setup, console)
            print_results(found, console)
            results += found
            if json_path:
                write_json(json_path, versions_and_device | results_to_json(results))


def _measure(topic, setup, console):
    with show_status(console, topic) as status:
        with quiet_import():
            module = import_topic(topic)
        setup = dataclasses.replace(
            setup, progress=lambda message: status.update(f"{topic}: {message}")
        )
        return list(module.measure(setup))


def import_topic(topic):
    """Import the module of a topic, and return it."""
    return importlib.import_module(f"kerashw.benchmark.topics.{topic}")
