"""Only the loss of a worker becomes a `WorkerError`."""

import numpy as np
import pytest
import tensorflow as tf

from kerashw.fitting import fit
from kerashw.models import softmax_regression
from tests.conftest import compiled


def test_an_error_of_the_data_is_not_converted():
    def broken():
        yield np.zeros((1, 28, 28, 1), "float32"), np.zeros(1)
        raise ValueError("no more data")

    specs = tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((None,))
    dataset = tf.data.Dataset.from_generator(broken, output_signature=specs)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(2))
    with pytest.raises(tf.errors.OpError):
        fit(compiled(softmax_regression()), dataset, verbose=0)
