"""A run's exports and a server with the containers' flags."""

import shutil

import pytest

from kerashw.datasets.pipeline import Batches
from kerashw.export import export_saved_model
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from tests.conftest import compiled
from tests.serve.processes import serving
from tests.serving.places import local_flags


@pytest.fixture(scope="session")
def exports(data, tmp_path_factory):
    """The folder that a run leaves; of the ConvNet, two versions.

    All are a softmax regression, to be quick: after one epoch and, as the second version of the
    ConvNet and the first of softmax regression, after two.
    """
    folder = tmp_path_factory.mktemp("run") / "exports"
    train = Batches(data.train_images, data.train_labels, batch_size=128, seed=0)
    test = Batches(data.test_images, data.test_labels, batch_size=500)
    model = compiled(softmax_regression())
    for copies in (("convnet/1", "mlp/1"), ("convnet/2", "softmax/1")):
        fit(model, train, test, epochs=1)
        exported = export_saved_model(model, folder.parent / "model")
        for copy in copies:
            shutil.copytree(exported, folder / copy)
    return folder


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """The models.config that the server reads, again and again."""
    return tmp_path_factory.mktemp("config") / "models.config"


@pytest.fixture(scope="session")
def server(exports, config):
    flags = local_flags(exports, config, model_config_file_poll_wait_seconds=1)
    with serving(*flags) as running:
        yield running
        assert running.stop() == 0
