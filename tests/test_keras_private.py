"""The installed version of Keras has every private name that the package uses."""

import keras
import numpy as np
import pytest
from keras.src.losses import loss as losses

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
        "_compile_loss",
        "_loss_tracker",
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


NAMES_OF_UPDATES = [
    "_iterations",
    "_backend_update_step",
    "_apply_weight_decay",
    "_backend_increment_gradient_accumulators",
    "_overwrite_model_variables_with_average_value",
]
NAMES_OF_LOSSES = [
    "reduce_values",
    "apply_mask",
    "scale_loss_for_distribution",
    "unscale_loss_for_distribution",
]


@on_tensorflow
@pytest.mark.parametrize(
    "make", [Adadelta, lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())]
)
def test_an_optimizer_updates_on_each_replica_only_within_the_block(make):
    variable = keras.Variable(1.0)
    optimizer = make()
    optimizer.build([variable])
    for name in NAMES_OF_UPDATES:
        assert hasattr(optimizer, name), f"keras {keras.__version__} has no optimizer.{name}"
    before = dict(vars(optimizer))
    with keras_private.update_on_each_replica(optimizer, lambda gradients: [gradients[0] * 0]):
        optimizer.apply([keras.ops.ones(())], [variable])
    assert float(variable) == 1
    assert vars(optimizer) == before
    optimizer.apply([keras.ops.ones(())], [variable])
    assert float(variable) < 1


def test_losses_are_those_of_parts_only_within_the_block(model):
    for name in NAMES_OF_LOSSES:
        assert hasattr(losses, name), f"keras {keras.__version__} has no losses.loss.{name}"
    total = keras.losses.MeanSquaredError(reduction="sum")
    with keras_private.losses_of_parts(model, lambda dtype: 3, lambda value: value):
        assert float(total([[1.0], [2.0]], [[2.0], [3.0]])) == 6
    assert float(total([[1.0], [2.0]], [[2.0], [3.0]])) == 2


def test_activity_losses_of_equal_parts_are_that_of_the_batch_only_within_the_block():
    layer = keras.layers.Dense(1, activity_regularizer="l2")
    model = keras.Sequential([keras.Input((2,)), layer])

    def activity_loss(examples):
        model(np.ones((examples, 2)))
        return float(model.losses[0])

    regularizer, expected, of_part = layer.activity_regularizer, activity_loss(6), activity_loss(2)
    with keras_private.losses_of_parts(model, lambda dtype: 3, lambda value: value):
        assert activity_loss(2) == pytest.approx(expected)
    assert layer.activity_regularizer is regularizer
    assert activity_loss(2) == of_part


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
