"""Exported models, and a server of them with the containers' flags."""

import shutil

import pytest

from kerashw.datasets.pipeline import Batches
from kerashw.export import export_saved_model
from kerashw.fitting import fit
from kerashw.models import softmax_regression
from tests.conftest import compiled
from tests.ports import free_port
from tests.serve.processes import running_server
from tests.serving.serving_files import local_flags


@pytest.fixture(scope="session")
def exports(data, tmp_path_factory):
    """The folder of exported models, with two versions of the ConvNet.

    All of them are a softmax regression, which is trained fast: version 1 of the ConvNet and the
    MLP for one epoch, version 2 of the ConvNet and softmax regression for two epochs.
    """
    folder = tmp_path_factory.mktemp("run") / "exports"
    train = Batches(data.train_images[:20_000], data.train_labels[:20_000], batch_size=128, seed=0)
    model = compiled(softmax_regression())
    for copies in (("convnet/1", "mlp/1"), ("convnet/2", "softmax/1")):
        fit(model, train, verbose=0)
        exported = export_saved_model(model, folder.parent / "model")
        for copy in copies:
            shutil.copytree(exported, folder / copy)
    return folder


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """The path of the models.config, which the server reads again every second."""
    return tmp_path_factory.mktemp("config") / "models.config"


@pytest.fixture(scope="session")
def server(exports, config):
    flags = local_flags(exports, config, model_config_file_poll_wait_seconds=1)
    flags += [f"--port={free_port()}", "--enable_model_warmup=false"]
    with running_server(*flags) as running:
        yield running
        assert running.stop() == 0
