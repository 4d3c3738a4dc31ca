"""The models of the recordings, and servers of them that tests share."""

import runpy
import sys

import keras
import pytest

from tests.serve.processes import running_server
from tests.serve.recordings import DATA

collect_ignore = ["data"]  # scripts, which are not imported


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The folder of the models of the recordings and their models.config."""
    folder = tmp_path_factory.mktemp("recorded") / "models"
    keras.backend.clear_session()  # the names in the recordings are those of a new process
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["export_models.py", str(folder)])
        runpy.run_path(str(DATA / "export_models.py"), run_name="__main__")
    return folder


@pytest.fixture(scope="session")
def server(models, tmp_path_factory):
    """A server with metrics and low limits on sizes and connections. No test may stop it."""
    monitoring = tmp_path_factory.mktemp("config") / "monitoring.config"
    monitoring.write_text("prometheus_config { enable: true }")
    with running_server(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        f"--monitoring_config_file={monitoring}",
        "--max_body_bytes=1000000",
        "--max_connections=60",
    ) as running:
        yield running
        assert running.stop() == 0
