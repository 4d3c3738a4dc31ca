"""The environment of a result: the versions of the packages, and the machine."""

import importlib.metadata
import os
import platform
from pathlib import Path

import tensorflow as tf

from kerashw import __version__

PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy")


def environment():
    """Describe the software and the hardware that results depend on.

    Returns:
        Dictionary of `versions`, those of kerashw, Python and the packages by name, and `device`:
        the TensorFlow devices, the processor and the number of its cores.

    Example:
        >>> list(environment()["versions"])
        ['kerashw', 'python', 'tensorflow', 'keras', 'tensorflow-datasets', 'numpy']
    """
    installed = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "versions": {"kerashw": __version__, "python": platform.python_version()} | installed,
        "device": {
            "devices": [device.name for device in tf.config.list_logical_devices()],
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
        },
    }


def _cpu_name():
    """Return the name of the processor on Linux, and its architecture on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
