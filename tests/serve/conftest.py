"""What the server's tests share: the models that the recordings were made on."""

import subprocess
import sys

import pytest

from tests.serve.processes import serving
from tests.serve.recordings import DATA

collect_ignore = ["data"]  # scripts there are run, not imported


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """The folder of the recordings' models and their models.config."""
    folder = tmp_path_factory.mktemp("recorded") / "models"
    script = [sys.executable, DATA / "export_models.py", folder]
    subprocess.run(script, check=True, timeout=120, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def server(models, tmp_path_factory):
    """A server with narrow bounds and metrics, which nothing may end."""
    monitoring = tmp_path_factory.mktemp("config") / "monitoring.config"
    monitoring.write_text("prometheus_config { enable: true }")
    with serving(
        f"--model_config_file={models / 'models.config'}",
        "--allow_version_labels_for_unavailable_models",
        f"--monitoring_config_file={monitoring}",
        "--rest_api_timeout_in_ms=3000",
        "--max_body_bytes=1000000",
        "--max_connections=60",
    ) as running:
        yield running
        assert running.stop() == 0
