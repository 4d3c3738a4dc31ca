"""The flags of polling, loading and labels do what their help says, in every combination."""

import itertools
import math
import re
import types

import pytest

from kerashw.serve.flags import parse
from kerashw.serve.servables import model_registry, model_version
from kerashw.serve.servables.config_file_reader import ModelConfig
from kerashw.serve.servables.model_registry import ModelRegistry
from kerashw.serve.servables.model_version import LoadSettings
from tests.serve.servables.text_models import load_text, write

# The values of each flag: those that are accepted, and those that are refused.
VALUES = {
    "model_config_file": (["", "models.config"], []),
    "model_base_path": (["", "/models/m"], []),
    "model_config_file_poll_wait_seconds": (["0", "0.5"], ["-1", "nan", "x"]),
    "allow_version_labels_for_unavailable_models": (["false", "true"], ["-1"]),
    "file_system_poll_wait_seconds": (["0", "0.5", "inf"], ["-1", "nan"]),
    "max_num_load_retries": (["0", "2"], ["-1", "0.5"]),
    "load_retry_interval_micros": (["-1", "0", "5"], ["0.5"]),
    "enable_model_warmup": (["false", "0"], ["-1"]),
    "num_request_iterations_for_warmup": (["-1", "0", "2"], ["0.5"]),
    "tensorflow_intra_op_parallelism": (["0", "1"], ["-1"]),
    "per_process_gpu_memory_fraction": (["0", "0.5"], ["-1", "nan"]),
    "rest_api_num_threads": (["0", "1"], ["-1"]),
}


@pytest.mark.parametrize("first", VALUES)
def test_a_pair_of_flags_is_accepted_or_refused_in_one_line(first, capsys):
    for second in VALUES:
        values = [itertools.chain(*VALUES[name]) for name in (first, second)]
        for pair in itertools.product(*values):
            given = dict(zip((first, second), pair, strict=True))
            refused = {name for name, value in given.items() if value in VALUES[name][1]}
            rereads = given.get("model_config_file_poll_wait_seconds") == "0.5"
            if rereads and not given.get("model_config_file"):
                refused.add("model_config_file_poll_wait_seconds")
            try:
                parse([f"--{name}={value}" for name, value in given.items()])
                assert not refused, given
            except SystemExit as ended:
                assert ended.code == 2
                [line] = capsys.readouterr().err.splitlines()
                assert re.search(f"error: .*--({'|'.join(refused)})[ :]", line), given


class Clock:
    """A time that passes while a registry waits. Waiting ends after 100 seconds.

    Args:
        first_wait: Function that is called when the registry waits for the first time.
    """

    END = 100.0

    def __init__(self, first_wait):
        self.now = 0.0
        self.first_wait = first_wait

    def wait(self, seconds):
        if self.first_wait:
            self.first_wait()
            self.first_wait = None
        self.now += seconds
        return self.now > self.END


FOLDERS, CONFIGS, RETRIES, INTERVALS = (0, 0.5, 3), (0, 0.5, 7), (0, 1, 3), (-1, 0, 0.2, 10)


@pytest.mark.parametrize("label_unavailable", [False, True])
@pytest.mark.parametrize("folder_seconds", FOLDERS)
def test_times_of_polling_and_loading(folder_seconds, label_unavailable, tmp_path, monkeypatch):
    for case in itertools.product(CONFIGS, RETRIES, INTERVALS):
        config_seconds, retries, interval = case
        settings = LoadSettings(None, folder_seconds, retries, interval, label_unavailable)
        base = tmp_path / "-".join(map(str, case))
        attempts, labels = run_in_simulated_time(base, settings, config_seconds, monkeypatch)
        found = min((each for each in (folder_seconds, config_seconds) if each), default=math.inf)
        expected = [(1, 0.0)]
        if found < math.inf:
            expected.append((2, found))
            expected += [(3, found + max(interval, 0) * n) for n in range(retries + 1)]
        assert attempts == [(number, pytest.approx(time)) for number, time in expected], case
        new = {"new": 9} if label_unavailable else {}
        assert labels == ({"stable": 2} | new if config_seconds else {"stable": 1}), case


def run_in_simulated_time(base, settings, config_seconds, monkeypatch):
    """Run a registry while a good version 2 and a bad one 3 appear, and labels for 2 and 9.

    Returns:
        List of the numbers and times of the attempts to load versions; the version of each label.
    """
    attempts = []

    def load(path):
        attempts.append((int(path.name), clock.now))
        return load_text(path)

    def add_versions():
        write(base, 2)
        write(base, 3, "bad")

    clock = Clock(add_versions)
    for module in (model_registry, model_version):
        monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: clock.now))
    write(base, 1)
    start = ModelConfig("m", base, latest=0, labels={"stable": 1})
    later = start._replace(labels={"stable": 2, "new": 9})
    settings = settings._replace(load=load)
    registry = ModelRegistry(settings, [start], lambda: [later], config_seconds)
    monkeypatch.setattr(registry, "_stop", clock)
    registry.start()
    registry._thread.join()
    return attempts, {label: n for label, (_, n) in registry.models["m"].labels.items()}
