"""Models that are functions of the user get everything that those of the package get."""

import json
import subprocess
import sys
from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import RunError
from kerashw.export.shown_layers import find_shown_layers
from kerashw.plots.model_layers import layer_rows
from kerashw.train.model_building import as_functional, build_model, model_reader
from kerashw.train.observer import Observer
from kerashw.train.run import run
from kerashw.train.run_folder import RunFolder
from kerashw.train.settings import Settings
from tests.conftest import ROOT
from tests.train.processes import SMALL, assert_refused, history_of, train

FILE = str(ROOT / "tests" / "train" / "own_models.py")
SMALL_SETTINGS = {"epochs": 3, "train_examples": 600, "test_examples": 200}
OPTIONS = {
    "validation_share": 0.1,
    "early_stopping": 3,
    "augment": ("flip", "shift", "rotate", "zoom", "contrast"),
    "class_weight": "balanced",
}


class StopError(Exception):
    pass


class StoppingObserver(Observer):
    """Ends a run after its first epoch."""

    def on_epoch_end(self, model, entry):
        raise StopError


def trained(output, settings, name):
    """Return the trained model of a run, and what its export answers."""
    history = json.loads((output / name / "history.json").read_text())
    read = model_reader(settings, f"{FILE}:{name}", (28, 28, 1), 10)
    model = read(output / name / "model.keras")
    (version,) = (output / "exports" / name).iterdir()
    served = tf.saved_model.load(version).signatures["serving_default"]
    return model, history, lambda images: served(image=images)["probabilities"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["build", "subclass"])
def test_a_resumed_training_is_the_same_with_every_option(data, tmp_path, name):
    settings = Settings(models=(f"{FILE}:{name}",), **SMALL_SETTINGS, **OPTIONS)
    run(settings, tmp_path / "whole")
    with pytest.raises(StopError):
        run(settings, tmp_path / "resumed", observer=StoppingObserver())
    run(settings, tmp_path / "resumed")
    assert history_of(tmp_path / "whole", name) == history_of(tmp_path / "resumed", name)
    whole, history, served = trained(tmp_path / "whole", settings, name)
    resumed, _, _ = trained(tmp_path / "resumed", settings, name)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        if one.dtype.kind == "f":  # not the states of random generators
            np.testing.assert_array_equal(one, other)
    for one, other in zip(whole.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    images = np.random.default_rng(0).random((5, 28, 28, 1), "float32")
    np.testing.assert_allclose(served(images), whole(images, training=False), atol=1e-6)
    assert history["parameters"] == whole.count_params()
    assert f"The layers of the {name}: " in (tmp_path / "whole" / "report.html").read_text()
    assert run(settings, tmp_path / "whole") is None


@pytest.mark.parametrize(
    ("name", "layers"),
    [("subclass", ["Flatten", "Twice", "Dropout", "Dense"]), ("untraceable", ["Untraceable"])],
)
def test_the_layers_of_a_subclass_are_shown_if_keras_can_trace_them(name, layers):
    model = build_model(Settings(), f"{FILE}:{name}", (28, 28, 1), 10)
    functional = as_functional(model, (28, 28, 1))
    assert [type(layer).__name__ for layer in functional.layers[1:]] == layers
    variables = [{id(x) for x in each.variables} for each in (functional, model)]
    assert variables[0] == variables[1]
    images = np.random.default_rng(0).random((5, 28, 28, 1), "float32")
    answers = [each(images, training=False) for each in (functional, model)]
    np.testing.assert_array_equal(*answers)
    as_functional(model, (28, 28, 1))  # a second tracing changes nothing
    assert len(layer_rows(functional)) == len(layers) + 1
    assert bool(find_shown_layers(functional)) == (name == "subclass")


def test_a_function_that_changed_is_refused_although_the_weights_fit(tmp_path):
    file, saved = tmp_path / "changing_models.py", tmp_path / "saved.keras"
    source = (ROOT / "tests" / "train" / "own_models.py").read_text()
    file.write_text(source)
    name, shape = f"{file}:build", ((28, 28, 1), 10)
    settings = Settings(models=(name,))
    model = build_model(settings, name, *shape)
    model.optimizer.build(model.trainable_variables)
    model.save(saved)
    for text, is_changed in (
        (f"# a comment\n{source}", False),
        (source.replace("ReLU", "ELU"), True),
    ):
        file.write_text(text)
        sys.modules.pop("changing_models")
        with pytest.raises(RunError, match="no longer builds") if is_changed else nullcontext():
            model_reader(settings, name, *shape)(saved)


def test_a_function_keeps_its_optimizer_unless_the_run_has_one(data):
    for settings, expected, rate in (
        (Settings(), "adam", 0.001),
        (Settings(learning_rate=0.5), "adam", 0.5),
        (Settings(optimizer="sgd"), "SGD", 0.01),
    ):
        optimizer = build_model(settings, f"{FILE}:subclass", (28, 28, 1), 10).optimizer
        assert type(optimizer).__name__.lower() == expected.lower()
        assert float(optimizer.learning_rate) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (f"{FILE}:nothing", "must return a keras.Model. Add a return statement"),
        (f"{FILE}:fails", "own_models.py, line 56, `return num_classes / 0`: ZeroDivisionError"),
        (f"{FILE}:exits", "`sys.exit(3)`: SystemExit: 3"),
        (f"{FILE}:reshapes", "Reshape.call(). The total size of the tensor must be unchanged"),
        (f"{FILE}:too_few", "of shape (N, 10), one for each class. Received: shape (None, 9)"),
        (f"{FILE}:logits", "End it with a softmax"),
        (f"{FILE}:one_hot", "its loss must take the numbers of the classes"),
        (f"{FILE}:other", "has no function other"),
        (f"{FILE}:mlp", "Rename the function"),
        (f"{FILE}:2", "must be given as package.module:function"),
        ("nothere.py:build", "there is no file nothere.py"),
        ("no.such.module:build", "there is no module no."),
    ],
)
def test_a_wrong_function_is_refused_in_one_line(model, message, data, tmp_path, train_here):
    output = tmp_path / "r"
    assert_refused(train_here("--quiet", "--model", model, "--output", output, *SMALL), message)
    assert not output.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import nothere", "line 1, `import nothere`: ModuleNotFoundError: No module named"),
        ("def f(:", "line 1, `def f(:`: SyntaxError: invalid syntax"),
        ("\nraise SystemExit(3)", "line 2, `raise SystemExit(3)`: SystemExit: 3"),
    ],
)
def test_an_import_that_fails_shows_the_users_own_line(
    content, message, data, tmp_path, train_here
):
    (tmp_path / "fails_at_import.py").write_text(content)
    model = f"{tmp_path}/fails_at_import.py:build"
    assert_refused(train_here("--quiet", "--model", model, "--output", tmp_path / "r"), message)


def test_functions_need_folders_of_their_own(data, tmp_path, train_here):
    models = [f"{FILE}:build", "tests.train.own_models:build"]
    ended = train_here("--model", *models, "--output", tmp_path / "r")
    assert_refused(ended, "must have different names")


def test_a_changed_function_does_not_resume(data, tmp_path, train_here):
    file = tmp_path / "changing_model.py"
    code = (
        "import keras\ndef build(shape, classes):\n"
        "    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), "
        "keras.layers.Dense({}), keras.layers.Dense(classes, 'softmax')])\n"
    )
    file.write_text(code.format(3))
    settings = Settings(models=(f"{file}:build",), **SMALL_SETTINGS)
    with pytest.raises(StopError):
        run(settings, tmp_path / "r", observer=StoppingObserver())
    assert RunFolder(tmp_path / "r", {"configuration": settings.configuration()}).models == [
        "build"
    ]
    file.write_text(code.format(4))
    del sys.modules["changing_model"]
    arguments = ["--epochs", 3, "--train-examples", 600, "--test-examples", 200]
    ended = train_here(
        "--quiet", "--model", f"{file}:build", "--output", tmp_path / "r", *arguments
    )
    assert_refused(ended, "no longer builds the model that is saved")


@pytest.mark.slow
def test_early_stopping_ends_where_the_loss_no_longer_falls(data, tmp_path):
    # With this rate, the loss of the first epoch is never reached again.
    settings = Settings(
        models=("softmax",),
        epochs=9,
        optimizer="sgd",
        learning_rate=1e-12,
        validation_share=0.2,
        early_stopping=2,
        train_examples=300,
        test_examples=100,
    )
    (result,) = run(settings, tmp_path / "r")
    losses = [epoch["validation_loss"] for epoch in result.history["epochs"]]
    assert len(losses) == 1 + losses.index(min(losses)) + 2 < 9
    assert result.history["test"]["accuracy"] == result.confusion.trace() / 100
    report = (tmp_path / "r" / "report.html").read_text()
    assert "20% of the training images held out for validation" in report
    assert "Validation accuracy by epoch" in report


@pytest.mark.slow
def test_two_replicas_with_batch_normalization_and_augmentation_equal_one(data, tmp_path):
    histories = []
    for replicas in (1, 2):
        output = tmp_path / str(replicas)
        code = f"""
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from kerashw.distribution import StrategyChoice
from kerashw.train.run import run
from kerashw.train.settings import Settings
class Choice(StrategyChoice):
    def create_strategy(self, timeout):
        return tf.distribute.MirroredStrategy([f"/cpu:{{i}}" for i in range({replicas})])
options = {{**{SMALL_SETTINGS!r}, **{OPTIONS!r}, "train_examples": 720, "batch_size": 36}}
run(Settings(models=({FILE + ":build"!r},), **options), {str(output)!r}, choice=Choice())
"""
        subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
        histories.append(history_of(output, "build"))
    for one, two in zip(*(history["epochs"] for history in histories), strict=True):
        assert two == pytest.approx(one, rel=2e-4)


@pytest.mark.slow
def test_the_shape_of_cifar10_resumes_through_the_convnet(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (120, 32, 32, 3), np.uint8)
    labels = np.arange(120) % 10
    arrays = {"x_train": images, "y_train": labels, "x_test": images[:20], "y_test": labels[:20]}
    np.savez(tmp_path / "colours.npz", **arrays)
    settings = Settings(
        models=("convnet",), epochs=2, dataset=str(tmp_path / "colours.npz"), batch_size=40
    )
    run(settings, tmp_path / "whole")
    with pytest.raises(StopError):
        run(settings, tmp_path / "resumed", observer=StoppingObserver())
    run(settings, tmp_path / "resumed")
    assert history_of(tmp_path / "whole", "convnet") == history_of(tmp_path / "resumed", "convnet")
    model = keras.saving.load_model(tmp_path / "whole" / "convnet" / "model.keras")
    assert model.input_shape == (None, 32, 32, 3)


@pytest.mark.slow
def test_the_manifest_of_a_run_is_the_run_again(data, tmp_path):
    first = ["--model", f"{FILE}:subclass", "softmax", "--epochs", 2, *SMALL, "--deterministic"]
    first += ["--augment", "flip,zoom", "--validation-share", 0.2, "--optimizer", "adamw"]
    for arguments in (
        [*first, "--output", tmp_path / "first"],
        ["--config", tmp_path / "first" / "manifest.json", "--output", tmp_path / "again"],
    ):
        ended = train(*arguments)
        assert ended.returncode == 0, ended.stderr
    for name in ("subclass", "softmax"):
        assert history_of(tmp_path / "first", name) == history_of(tmp_path / "again", name)
