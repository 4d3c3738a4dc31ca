"""What all workers of a run must agree on: the settings, and the model that they resume."""

import json
import tempfile
from pathlib import Path

import keras

from kerashw import distribution
from kerashw.errors import InputError, WorkerError
from kerashw.fitting.lost_workers import worker_count


def is_complete(folder, settings, choice, observer, timeout):
    """Compare the settings of all workers, and return whether the chief's run is complete.

    Args:
        folder: `RunFolder` on the chief, `DiscardedFolder` on the other workers.
        settings: `kerashw.train.settings.Settings`.
        choice: `kerashw.distribution.StrategyChoice`.
        observer: `kerashw.train.observer.Observer`.
        timeout: Float, the longest time in seconds to wait for the other workers.

    Returns:
        Boolean.

    Raises:
        InputError: If the workers were started with different settings.
        WorkerError: If another worker cannot be reached.
    """
    mine = {"settings": settings.configuration(), "complete": folder.complete}
    if choice.addresses:
        observer.on_workers_wait(choice, timeout)
    try:
        all_workers = choice.all_gather(mine, timeout)
    except WorkerError:
        if folder.complete:
            return True
        raise
    for number, other in enumerate(all_workers):
        if other["settings"] != mine["settings"]:
            raise InputError(
                "all workers must be started with the same settings. Received: worker "
                f"{number + 1} has {_differences(other['settings'], mine['settings'])}"
            )
    return all_workers[0]["complete"]


def is_trained(folder, strategy):
    """Return on every worker whether the chief has saved the trained model.

    Args:
        folder: `ModelFolder` on the chief, `DiscardedModelFolder` on the other workers.
        strategy: `tf.distribute.Strategy`.
    """
    return bool(distribution.broadcast(strategy, b"yes" if folder.complete else b""))


def load(folder, strategy, read=None):
    """Load on every worker the model that the chief saved last.

    Args:
        folder: As for `is_trained`.
        strategy: `tf.distribute.Strategy`.
        read: As for `ModelFolder.load`.

    Returns:
        Pair of the compiled `keras.Model` and its history; `None` before the first epoch.

    Raises:
        RunError: If a file is damaged.
        WorkerError: If another worker was lost.
    """
    if worker_count(strategy) == 1:
        return folder.load(read)
    path, history = folder.find_saved() or (None, None)
    history = json.loads(distribution.broadcast(strategy, json.dumps(history).encode()))
    if history is None:
        return None
    content = distribution.broadcast(strategy, path.read_bytes() if path else b"")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.keras"
        copy.write_bytes(content)
        return (read or keras.saving.load_model)(copy), history


def _differences(found, mine):
    return ", ".join(
        f"{key} {found.get(key)} and this one {value}"
        for key, value in mine.items()
        if found.get(key) != value
    )
