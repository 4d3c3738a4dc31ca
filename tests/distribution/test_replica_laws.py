"""Training under a strategy is training on one device, with real replicas and real workers."""

import json
import os
import socket
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw import distribution
from kerashw.distribution import rendezvous
from kerashw.errors import InputError, WorkerError
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from kerashw.train.__main__ import main
from kerashw.train.run import run
from kerashw.train.settings import Settings
from tests.conftest import compiled
from tests.distribution.jobs import BATCH, EXAMPLES, ended, made_once, start, start_workers
from tests.ports import free_ports

PLACES = ["mirrored-2", "mirrored-3", "worker-0-of-2", "worker-1-of-2"]


@pytest.fixture(scope="module")
def jobs(data, tmp_path_factory):
    """The results of the same trainings, by where they ran."""

    def make(output):
        workers = start_workers("tests.distribution.jobs", ["jobs", output], 2)
        ended([start("tests.distribution.jobs", ["jobs", output]), *workers])

    output = made_once(tmp_path_factory, "jobs", make)
    return {where: dict(np.load(output / f"jobs-{where}.npz")) for where in ["default", *PLACES]}


def values(results, name):
    found = [value for key, value in results.items() if key.startswith(f"{name}/")]
    assert found
    return found


@pytest.mark.slow
def test_a_single_worker_is_one_device(jobs, tmp_path):
    ended(start_workers("tests.distribution.jobs", ["jobs", tmp_path], 1))
    alone = np.load(tmp_path / "jobs-worker-0-of-1.npz")
    assert alone.keys() == jobs["default"].keys()
    for name, value in alone.items():
        np.testing.assert_allclose(value, jobs["default"][name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("model", ["softmax", "mlp", "convnet", "arrays", "dataset"])
def test_losses_and_weights_are_those_of_one_device(jobs, model, where):
    expected = values(jobs["default"], model)
    for value, same in zip(values(jobs[where], model), expected, strict=True):
        np.testing.assert_allclose(value, same, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("where", [where for where in PLACES if "3" not in where])
def test_synchronized_normalization_is_that_of_one_device_for_even_parts(jobs, where):
    expected = values(jobs["default"], "synchronized")
    for value, same in zip(values(jobs[where], "synchronized"), expected, strict=True):
        np.testing.assert_allclose(value, same, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("where", ["default", *PLACES])
def test_each_example_is_seen_once_and_weighs_what_it_should(jobs, where):
    (weights,) = values(jobs[where], "seen")
    # All but one of 41 are in batches of 8; the one is a batch of its own.
    counted = np.sort(-weights[:, 0])
    np.testing.assert_allclose(counted, [1 / BATCH] * (EXAMPLES - 1) + [1], rtol=1e-6)


@pytest.mark.parametrize("where", ["default", *PLACES])
def test_replicas_drop_independently_of_each_other(jobs, where):
    (weights,) = values(jobs[where], "dropout")
    # The mean of 8 independent masks of 0 or 2. Were the replicas' masks the same, the variance
    # would be 2 or 3 times as large. The bounds are five standard deviations.
    size = len(weights)
    assert abs(weights.mean() + 1) < 5 * np.sqrt(1 / BATCH / size)
    assert abs(BATCH * weights.var() - 1) < 5 * np.sqrt(2 / size)


def test_all_replicas_remember_the_same(jobs):
    for where in PLACES:
        first = values(jobs["worker-0-of-2" if "of-2" in where else where], "statistics")
        for copies, of_chief in zip(values(jobs[where], "statistics"), first, strict=True):
            assert (copies == of_chief[0]).all()


def test_what_cannot_be_right_with_several_replicas_is_refused():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    x, y = np.zeros((4, 28, 28, 1)), np.zeros(4)

    class Own(keras.Model):
        def train_step(self, batch):
            return {}

    def attempt(message, model_class=keras.Model, optimizer=None, loss=None):
        with strategy.scope():
            base = softmax_regression()
            model = model_class(base.inputs, base.outputs)
            model.compile(optimizer or "sgd", loss or "sparse_categorical_crossentropy")
        with pytest.raises(InputError, match=message):
            fit(model, (x, y), verbose=0)

    attempt("train_step of its own", model_class=Own)
    attempt("accumulation", keras.Model, keras.optimizers.SGD(gradient_accumulation_steps=2))
    attempt("reduction='sum'", loss=keras.losses.SparseCategoricalCrossentropy(reduction="sum"))
    with strategy.scope():
        layers = [keras.Input((3,)), keras.layers.BatchNormalization(synchronized=True)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    dataset = tf.data.Dataset.from_tensor_slices((np.zeros((4, 3)), y)).batch(2)
    with pytest.raises(InputError, match=r"drop_remainder.*Received: not known"):
        fit(model, dataset, verbose=0)
    with strategy.scope():
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    attempt("mixed_bfloat16", optimizer=scaled)


def test_a_failure_that_is_no_lost_worker_is_left_as_it_is(data):
    def broken():
        yield np.zeros((1, 28, 28, 1), "float32"), np.zeros(1)
        raise ValueError("mine")

    shapes = tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((None,))
    dataset = tf.data.Dataset.from_generator(broken, output_signature=shapes)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(2))
    with pytest.raises(tf.errors.OpError):
        fit(compiled(softmax_regression()), dataset, verbose=0)


CLUSTER = {"worker": ["a:1", "b:2"]}


def config(cluster=CLUSTER, **task):
    return json.dumps({"cluster": cluster, "task": task})


@pytest.fixture
def tf_config(monkeypatch):
    return lambda text: monkeypatch.setenv("TF_CONFIG", text)


def test_auto_takes_what_there_is(tf_config, monkeypatch):
    assert distribution.plan() == distribution.Plan()
    tf_config(config(type="worker", index=1))
    plan = distribution.plan()
    assert (plan.name, plan.workers, plan.index, plan.is_chief) == ("multiworker", 2, 1, False)
    assert distribution.plan("default") == distribution.Plan()
    tf_config(config({"chief": ["c:3"], **CLUSTER}, type="worker", index=0))
    assert distribution.plan().addresses == ("c:3", "a:1", "b:2")
    assert (distribution.plan().index, distribution.plan().is_chief) == (1, False)
    # Without a cluster, as some platforms set it for a single machine.
    tf_config("{}")
    assert distribution.plan() == distribution.Plan()


def test_several_gpus_are_taken_by_themselves(monkeypatch):
    gpus = [tf.config.LogicalDevice(f"/device:GPU:{number}", "GPU") for number in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    plan = distribution.plan()
    assert (plan.name, plan.replicas, plan.workers) == ("mirrored", 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        config(),
        config(type="worker", index=2),
        config(type="worker", index="x"),
        config(type="evaluator", index=0),
        config({"ps": ["a:1"], **CLUSTER}, type="worker", index=0),
        config({"chief": ["a:1", "b:2"]}, type="chief", index=0),
        config({"worker": ["a", "b:2"]}, type="worker", index=0),
        config({"worker": ["a:0", "b:2"]}, type="worker", index=0),
    ],
)
def test_a_broken_tf_config_is_shown(tf_config, text):
    tf_config(text)
    for name in ("auto", "multiworker"):
        with pytest.raises(InputError, match="TF_CONFIG does not say") as raised:
            distribution.plan(name)
        assert text in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("multiworker", "needs TF_CONFIG"),
        ("mirrored", "at least 2 devices"),
        ("nosuch", "auto, default, mirrored, multiworker"),
    ],
)
def test_a_strategy_that_cannot_be_is_one_line(name, message, tmp_path, capsys):
    assert main(["--strategy", name, "--output", str(tmp_path / "r")]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def meet(told, ports, timeout=30):
    """Meet in threads; return what each got, or its error."""
    addresses = [f"127.0.0.1:{port}" for port in ports]
    found = {}

    def one(index):
        try:
            found[index] = rendezvous.meet(addresses, index, told[index], timeout)
        except Exception as error:
            found[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[index] for index in sorted(told)]


def test_workers_tell_each_other():
    told = {index: {"number": index} for index in range(3)}
    ports = free_ports(3)
    # Twice: the ports are free again after the first time.
    for _ in range(2):
        assert meet(told, ports) == [list(told.values())] * 3


def test_a_missing_worker_is_named():
    ports = free_ports(3)
    for error in meet({0: {}, 2: {}}, ports, timeout=1):
        assert isinstance(error, WorkerError)
        assert f"in vain for worker 2 (127.0.0.1:{ports[1]})." in str(error)


def test_another_program_on_a_workers_port_is_no_worker():
    mine, its = free_ports(2)
    with socket.create_server(("127.0.0.1", its)) as other:

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.sendall(b'HTTP/1.1 200 OK\n{"worker": 1}\n')

        threading.Thread(target=answer, daemon=True).start()
        (error,) = meet({0: {}}, [mine, its], timeout=1)
    assert isinstance(error, WorkerError)


def test_a_taken_port_is_said():
    with socket.create_server(("", 0)) as taken:
        (error,) = meet({0: {}}, [taken.getsockname()[1], *free_ports(1)])
    assert isinstance(error, InputError)
    assert "cannot listen on port" in str(error)


def test_a_worker_alone_says_so_in_time(tf_config, tmp_path, capsys):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    tf_config(config({"worker": addresses}, type="worker", index=0))
    arguments = ["--worker-timeout", "0.5", "--output", str(tmp_path / "r")]
    assert main(arguments) == 75
    shown = capsys.readouterr()
    assert "worker 1 of 2, the chief: meeting the others within 0.5 s" in shown.out
    assert f"in vain for worker 2 ({addresses[1]})" in shown.err
    assert shown.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_workers_with_different_settings_are_refused(tmp_path, monkeypatch):
    def meet(plan, told, timeout):
        return [told, told | {"settings": told["settings"] | {"epochs": 3}}]

    monkeypatch.setattr(distribution.Plan, "meet", meet)
    with pytest.raises(InputError, match="worker 2 has epochs 3 and this one 10"):
        run(Settings(), tmp_path / "r")
    assert not list(tmp_path.iterdir())


def test_the_chiefs_bytes_need_no_other_worker():
    assert distribution.share(tf.distribute.get_strategy(), os.urandom(0)) == b""
