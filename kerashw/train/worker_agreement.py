"""What the workers of a run must have in common: its settings, and the model it goes on with."""

import json
import tempfile
from pathlib import Path

import keras

from kerashw import distribution
from kerashw.errors import InputError, WorkerError
from kerashw.fitting.lost_workers import worker_count


def meet(folder, settings, plan, observer, timeout):
    """Meet the other workers, and agree on what is to be trained.

    Args:
        folder: `kerashw.train.run_folder.RunFolder`; the chief's, `None` on the others.
        settings: `kerashw.train.settings.Settings`.
        plan: `kerashw.distribution.Plan`.
        observer: `kerashw.train.observer.Observer`, to say who is waited for.
        timeout: Seconds to wait at most.

    Returns:
        Boolean, whether the chief finds the run complete.

    Raises:
        InputError: If the workers were started with different settings.
        WorkerError: If another worker is out of reach.
    """
    told = {"settings": settings.configuration(), "complete": bool(folder and folder.complete)}
    if plan.addresses:
        observer.meeting(plan, timeout)
    try:
        everyone = plan.meet(told, timeout)
    except WorkerError:
        if told["complete"]:
            return True
        raise
    for number, other in enumerate(everyone):
        if other["settings"] != told["settings"]:
            raise InputError(
                "all workers must be started with the same settings. Received: worker "
                f"{number + 1} has {_differences(other['settings'], told['settings'])}"
            )
    return everyone[0]["complete"]


def load(folder, strategy):
    """Load what the chief saved last, on every worker.

    Args:
        folder: `kerashw.train.run_folder.ModelFolder`; the chief's, `None` on the others.
        strategy: `tf.distribute.Strategy`.

    Returns:
        Pair of the compiled `keras.Model` and its history; `None` before the first epoch.

    Raises:
        RunError: If a file is damaged.
        WorkerError: If another worker was lost.
    """
    if worker_count(strategy) == 1:
        return folder.load()
    path, history = (folder and folder.find()) or (None, None)
    history = json.loads(distribution.broadcast(strategy, json.dumps(history).encode()))
    if history is None:
        return None
    content = distribution.broadcast(strategy, path.read_bytes() if path else b"")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "model.keras"
        copy.write_bytes(content)
        return keras.saving.load_model(copy), history


def _differences(found, mine):
    return ", ".join(
        f"{key} {found.get(key)} and this one {value}"
        for key, value in mine.items()
        if found.get(key) != value
    )
