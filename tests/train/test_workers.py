"""The command on two workers, as real processes: what each does, and what it survives."""

import json
import random
import re
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.export import versions
from kerashw.train.run import run
from kerashw.train.settings import Settings
from tests.conftest import without_info_of_tensorflow
from tests.distribution.worker_processes import killed_at_exit, start, start_workers, wait_for
from tests.shared_folder import shared_folder
from tests.train.processes import assert_nothing_half_written, assert_same_outcome, history_of

pytestmark = pytest.mark.slow

# Enough that a signal after the second one comes before the last one, also on a busy machine.
EPOCHS = 16
RUN = ["--model", "softmax", "mlp", "--epochs", EPOCHS, "--deterministic", "--keep-epochs"]
RUN += ["--train-examples", 1000, "--test-examples", 300]


def workers(output):
    return start_workers("kerashw.train", [*RUN, "--output", output], 2)


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    """A run of two workers; its folder and what each worker wrote."""

    def make(folder):
        written = wait_for(workers(folder / "run"))
        (folder / "written.json").write_text(json.dumps(written))

    folder = shared_folder(tmp_path_factory, "uninterrupted", make)
    return folder / "run", json.loads((folder / "written.json").read_text())


def test_every_worker_shows_what_it_does_and_the_chief_writes(uninterrupted):
    output, ((chief, _), (other, _)) = uninterrupted
    errors = [without_info_of_tensorflow(errors) for _, errors in uninterrupted[1]]
    assert errors == ["", ""]
    assert chief.startswith("worker 1 of 2, the chief: meeting")
    assert str(output / "report.html") in chief
    assert all(line.startswith("worker 2 of 2: ") for line in other.splitlines())
    for epoch in range(1, EPOCHS + 1):
        assert re.search(rf"^ +{epoch}/{EPOCHS} ", chief, re.MULTILINE)
        assert f"MLP, epoch {epoch}/{EPOCHS}, test accuracy" in other
    assert str(output) not in other


def test_the_manifest_says_where_it_was_trained(uninterrupted):
    manifest = json.loads((uninterrupted[0] / "manifest.json").read_text())
    found = manifest["distribution"]
    expected = {"strategy": "multiworker", "replicas": 2, "workers": 2, "communication": "RING"}
    assert {name: found[name] for name in expected} == expected
    assert len(found["devices"]) == 1


def served(output, images, version):
    loaded = tf.saved_model.load(output / "exports" / "softmax" / str(version))
    return loaded.signatures["pixels"](image=images)["probabilities"]


def assert_exports_the_same(output, data, tmp_path):
    """Softmax regression has no dropout. Everything is loaded here, without any strategy."""
    settings = Settings(("softmax",), epochs=EPOCHS, train_examples=1000, test_examples=300)
    run(settings, tmp_path / "default")
    images = data.test_images[:200]
    expected = served(tmp_path / "default", images, version=1)
    np.testing.assert_allclose(served(output, images, EPOCHS + 1), expected, atol=1e-5)
    model = keras.saving.load_model(output / "softmax" / "model.keras")
    np.testing.assert_allclose(model(images[..., None] / np.float32(255)), expected, atol=1e-5)
    assert_version_e_plus_1_is_the_model_of_epoch_e(output, data)


def assert_version_e_plus_1_is_the_model_of_epoch_e(output, data):
    for entry in history_of(output, "softmax")["epochs"][:3]:
        probabilities = served(output, data.test_images[:300], entry["epoch"] + 1)
        accuracy = np.mean(np.argmax(probabilities, axis=1) == data.test_labels[:300])
        np.testing.assert_allclose(accuracy, entry["test_accuracy"], atol=1e-6)


def test_two_workers_export_the_model_of_one_device(uninterrupted, data, tmp_path):
    assert_exports_the_same(uninterrupted[0], data, tmp_path)


def test_two_replicas_export_the_model_of_one_device(data, tmp_path):
    output = tmp_path / "mirrored"
    arguments = [2, "kerashw.train", *RUN, "--strategy", "mirrored", "--output", output]
    wait_for([start("tests.distribution.logical_devices", arguments)])
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["distribution"]["strategy"] == "mirrored"
    assert manifest["configuration"]["replicas"] == 2
    assert_exports_the_same(output, data, tmp_path)


def stop(processes, victim, signal_number):
    """Send a worker a signal at a random moment after the MLP's second epoch."""
    shown = "MLP, epoch 2/" if victim else "  2/"
    models = 0
    for line in processes[victim].stdout:
        models += line.startswith("MLP")
        if shown in line and (victim or models):
            break
    time.sleep(random.uniform(0, 0.2))
    processes[victim].send_signal(signal_number)


def assert_goes_on(output, uninterrupted):
    wait_for(workers(output))
    for model in ("softmax", "mlp"):
        assert_same_outcome(uninterrupted[0], output, model)
        assert versions(output / "exports" / model) == list(range(1, EPOCHS + 2))
    assert_nothing_half_written(output)
    assert not (output / "mlp" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("victim", "signal_number"),
    [
        (1, signal.SIGKILL),
        (0, signal.SIGKILL),
        (0, signal.SIGTERM),
        (1, signal.SIGTERM),
        # A machine that is cut off from the others, rather than dead.
        (1, signal.SIGSTOP),
    ],
)
def test_when_a_worker_is_lost_the_others_say_so_and_all_go_on(
    uninterrupted, victim, signal_number, tmp_path
):
    with killed_at_exit(workers(tmp_path / "r")) as processes:
        stop(processes, victim, signal_number)
        survivor = processes[1 - victim]
        _, errors = survivor.communicate(timeout=120)
        assert survivor.returncode == 75
        assert re.fullmatch(
            r".* error: .*worker.* of 2 is gone.*start all workers again.*\n", errors
        )
        if signal_number == signal.SIGSTOP:
            processes[victim].kill()
        _, errors = processes[victim].communicate(timeout=60)
        if signal_number == signal.SIGTERM:
            # Both may notice: its own signal comes first, unless it is at work on an epoch's end.
            assert processes[victim].returncode == 130
            assert errors.count("\n") == 1
    history = history_of(tmp_path / "r", "mlp")["epochs"]
    assert len(history) >= 2 - (not victim)
    assert list((tmp_path / "r" / "mlp" / "checkpoint").glob("epoch-*.keras"))
    assert_goes_on(tmp_path / "r", uninterrupted)


def test_a_run_goes_on_with_another_number_of_workers(data, tmp_path):
    # Unless it is to be the same to the last bit: that needs the same sums.
    loose = [argument for argument in RUN if argument != "--deterministic"]
    for arguments, code in ((loose, 0), (RUN, 2)):
        output = tmp_path / str(code)
        arguments = [*arguments, "--output", output]
        with killed_at_exit(start_workers("kerashw.train", arguments, 2)) as processes:
            stop(processes, 0, signal.SIGKILL)
            wait_for(processes, [-signal.SIGKILL, 75])
        ((_, errors),) = wait_for([start("kerashw.train", arguments)], [code])
        assert ("replicas 2 there, 1 here" in errors) == bool(code)


def test_a_complete_run_is_said_to_be_so_on_every_worker(uninterrupted):
    for shown, errors in wait_for(workers(uninterrupted[0])):
        assert "complete already" in shown
        assert errors == ""
