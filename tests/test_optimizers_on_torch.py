"""Embeddings are trained as by Keras on PyTorch, which adds repeated rows itself."""

import numpy as np
import pytest

from tests.conftest import import_peer
from tests.distribution.worker_processes import start, wait_for


@pytest.mark.slow
def test_embeddings_have_the_weights_of_keras_on_pytorch(tmp_path):
    import_peer("torch")
    runs = {"torch": "keras.optimizers", "tensorflow": "kerashw.optimizers"}
    processes = [
        start("tests.embedding_training", [tmp_path / f"{one}.npz", module], KERAS_BACKEND=one)
        for one, module in runs.items()
    ]
    wait_for(processes)
    expected, found = (dict(np.load(tmp_path / f"{one}.npz")) for one in runs)
    for name, weights in expected.items():
        np.testing.assert_allclose(found[name], weights, atol=1e-5, err_msg=name)
