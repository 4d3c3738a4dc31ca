"""A run's exports, trained a little, and a server with the containers' flags."""

import shutil

import pytest

from kerashw import models
from kerashw.datasets.pipeline import Batches
from kerashw.export import export_saved_model
from kerashw.fitting import fit
from tests.conftest import compiled
from tests.serve.processes import serving
from tests.serving.places import MODELS, local_flags


@pytest.fixture(scope="session")
def exports(data, tmp_path_factory):
    """The folder that a run leaves; of the ConvNet two versions, the second another model."""
    folder = tmp_path_factory.mktemp("run") / "exports"
    train = Batches(data.train_images[:1000], data.train_labels[:1000], batch_size=128, seed=0)
    test = Batches(data.test_images[:200], data.test_labels[:200], batch_size=200)
    for name in MODELS:
        model = compiled(models.MODELS[name](input_shape=(28, 28, 1)))
        fit(model, train, test, epochs=1)
        export_saved_model(model, folder / name)
    shutil.copytree(folder / "softmax" / "1", folder / "convnet" / "2")
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
