"""Accuracy equals Keras' metric, and needs no softmax in a training step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.datasets.pipeline import Batches
from kerashw.errors import InputError
from kerashw.fitting import fit
from kerashw.keras_private import compiled_loss_and_metrics
from kerashw.metrics import Accuracy
from kerashw.models import compile_as_homework, mlp, softmax_regression
from kerashw.optimizers import Adadelta


def history_of(metric, data):
    """Return the history of a small MLP that is trained with a metric."""
    keras.utils.set_random_seed(1)
    cut = data.first(490, 200)
    train = Batches(cut.train_images, cut.train_labels, 24, 0)
    test = Batches(cut.test_images, cut.test_labels, 128)
    model = mlp()
    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=[metric])
    return fit(model, train, epochs=2, verbose=0, validation_data=test).history


def test_accuracy_equals_that_of_keras(data):
    ours, expected = history_of(Accuracy(), data), history_of("accuracy", data)
    assert ours.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("weights", [None, [0.0, 1.0, 2.0, 0.5]])
def test_without_logits_it_reads_the_probabilities(weights):
    labels = np.array([0, 1, 2, 1])
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 4).astype("float32")
    ours, theirs = Accuracy(), keras.metrics.SparseCategoricalAccuracy()
    for metric in (ours, theirs):
        metric.update_state(labels, probabilities, weights)
    assert float(ours.result()) == float(theirs.result())


def test_a_training_step_needs_no_softmax():
    def softmaxes(metric):
        model = mlp()

        @tf.function(autograph=False)
        def step(x, y):
            metric.update_state(y, model(x, training=True))

        graph = step.get_concrete_function(
            tf.TensorSpec((2, 28, 28, 1)), tf.TensorSpec((2,), tf.int64)
        ).graph
        # The operations on which an assignment depends.
        pending = [op for op in graph.get_operations() if op.type.startswith("Assign")]
        needed = set()
        while pending:
            op = pending.pop()
            if op.name not in needed:
                needed.add(op.name)
                pending += [tensor.op for tensor in op.inputs]
        return sum(name.endswith("/Softmax") for name in needed)

    assert softmaxes(keras.metrics.SparseCategoricalAccuracy()) == 1
    assert softmaxes(Accuracy()) == 0


def test_a_loaded_model_contains_it(data, tmp_path):
    cut = data.first(240, 100)
    model = compile_as_homework(softmax_regression())
    fit(model, Batches(cut.train_images, cut.train_labels, 24, 0), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images, labels = cut.test_images[..., None] / np.float32(255), cut.test_labels
    assert loaded.evaluate(images, labels, verbose=0) == model.evaluate(images, labels, verbose=0)
    _, metrics = compiled_loss_and_metrics(loaded)
    assert [type(metric) for metric in metrics.metrics] == [Accuracy]


@pytest.mark.parametrize(
    ("labels", "outputs"), [([1, 0], [[0.9], [0.2]]), ([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])]
)
def test_labels_or_classes_of_another_kind_are_errors(labels, outputs):
    with pytest.raises(InputError, match="needs integer labels"):
        Accuracy().update_state(np.array(labels), np.array(outputs))
