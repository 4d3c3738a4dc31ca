"""The installed version of Keras has every private name that the package uses."""

import keras
import numpy as np
import pytest

from kerashw import keras_private
from kerashw.optimizers import Adadelta
from tests.conftest import on_tensorflow


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.ones((4, 3)), np.zeros(4), verbose=0)
    return model


@pytest.mark.parametrize(
    "name",
    [
        "_initial_epoch",
        "_flatten_layers",
        "_call_has_training_arg",
        "_compile_loss",
        "_compile_metrics",
    ],
)
def test_models_have_the_name(name, model):
    assert hasattr(model, name), f"keras {keras.__version__} has no Model.{name}"


@on_tensorflow
@pytest.mark.parametrize(
    "name",
    [
        "_get_variable_index",
        "_all_reduce_sum_gradients",
        "_accumulated_grads",
        "_accumulated_delta_vars",
    ],
)
def test_optimizers_have_the_name(name, model):
    assert hasattr(model.optimizer, name), f"keras {keras.__version__} has no optimizer.{name}"


def test_a_softmax_attaches_its_logits():
    logits = keras.ops.convert_to_tensor([[1.0, 2.0]])
    outputs = keras.layers.Activation("softmax")(logits)
    behind = keras_private.logits_behind(outputs)
    assert behind is not outputs, f"keras {keras.__version__} attaches no _keras_logits"
    np.testing.assert_array_equal(behind, logits)


@on_tensorflow
def test_the_sum_of_gradients_is_disabled_only_within_the_block(model):
    before = model.optimizer._all_reduce_sum_gradients
    with keras_private.gradients_already_summed(model.optimizer):
        assert model.optimizer._all_reduce_sum_gradients is list
    assert model.optimizer._all_reduce_sum_gradients == before


@on_tensorflow
def test_arrays_are_prepared_as_by_keras():
    x, y = np.ones((5, 2), "float64"), np.arange(5)
    (found, labels, weights), size = keras_private.array_inputs(x, y, None, {0: 2.0}, None, 3)
    assert (found.dtype, size) == ("float32", 2)
    np.testing.assert_array_equal(labels, y)
    np.testing.assert_array_equal(weights, [2, 1, 1, 1, 1])
    assert keras_private.array_inputs(iter([x]), None, None, None, None, None) is None


@on_tensorflow
@pytest.mark.parametrize("name", ["_symbolic_build", "_make_function", "make_train_function"])
def test_trainers_have_the_name(name, model):
    assert hasattr(model, name), f"keras {keras.__version__} has no Model.{name}"


def test_callbacks_mark_hooks_that_do_nothing():
    callback = keras.callbacks.EarlyStopping()
    assert not keras_private.is_overridden(callback.on_train_batch_end)
    assert keras_private.is_overridden(callback.on_epoch_end)


def test_tensorboard_has_the_names(tmp_path):
    assert keras_private.looks_at_epochs_alone(keras.callbacks.TensorBoard(tmp_path))
    every_batch = keras.callbacks.TensorBoard(tmp_path, update_freq="batch")
    assert not keras_private.looks_at_epochs_alone(every_batch)
