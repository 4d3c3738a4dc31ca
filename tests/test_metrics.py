import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashw.errors import InputError
from kerashw.fitting import fit
from kerashw.metrics import Accuracy
from kerashw.models import mlp
from kerashw.optimizers import Adadelta
from tests.fitting.test_fit import some


def trained(data, metric):
    """Return the history of a small MLP that is trained with that metric."""
    keras.utils.set_random_seed(1)
    model = mlp()
    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=[metric])
    return fit(model, *some(data), epochs=2, verbose=0).history


def test_it_is_keras_accuracy(data):
    ours, theirs = trained(data, Accuracy()), trained(data, "accuracy")
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("weights", [None, [0.0, 1.0, 2.0, 0.5]])
def test_without_logits_it_reads_what_it_is_given(weights):
    labels = np.array([0, 1, 2, 1])
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 4).astype("float32")
    ours, theirs = Accuracy(), keras.metrics.SparseCategoricalAccuracy()
    for metric in (ours, theirs):
        metric.update_state(labels, probabilities, weights)
    assert float(ours.result()) == float(theirs.result())


def test_a_step_with_it_needs_no_softmax():
    def softmaxes(metric):
        model = mlp()

        @tf.function(autograph=False)
        def step(x, y):
            metric.update_state(y, model(x, training=True))

        graph = step.get_concrete_function(
            tf.TensorSpec((2, 28, 28, 1)), tf.TensorSpec((2,), tf.int64)
        ).graph
        # Those on the way to something that is kept.
        wanted = [op for op in graph.get_operations() if op.type.startswith("Assign")]
        needed = set()
        while wanted:
            op = wanted.pop()
            if op.name not in needed:
                needed.add(op.name)
                wanted += [tensor.op for tensor in op.inputs]
        return sum(name.endswith("/Softmax") for name in needed)

    assert softmaxes(keras.metrics.SparseCategoricalAccuracy()) == 1
    assert softmaxes(Accuracy()) == 0


def test_a_model_that_is_saved_with_it_has_it_again(data, tmp_path):
    model = mlp()
    model.compile(Adadelta(), "sparse_categorical_crossentropy", metrics=[Accuracy()])
    fit(model, some(data)[0], verbose=0)
    model.save(tmp_path / "mlp.keras")
    images, labels = data.test_images[:100, ..., None] / np.float32(255), data.test_labels[:100]
    again = keras.models.load_model(tmp_path / "mlp.keras")
    assert again.evaluate(images, labels, verbose=0) == model.evaluate(images, labels, verbose=0)
    assert [type(one) for one in again._compile_metrics.metrics] == [Accuracy]


@pytest.mark.parametrize(
    ("labels", "outputs"), [([1, 0], [[0.9], [0.2]]), ([[1, 0], [0, 1]], [[0.9, 0.1], [0.2, 0.8]])]
)
def test_what_it_would_count_wrong_is_refused(labels, outputs):
    with pytest.raises(InputError, match="needs labels"):
        Accuracy().update_state(np.array(labels), np.array(outputs))
