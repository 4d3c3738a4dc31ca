"""The models of the recordings, servers of them, clients and a certificate, which tests share."""

import runpy
import subprocess
import sys

import keras
import pytest

from kerashw.serve.client import Client
from tests.conftest import find_program
from tests.ports import free_port
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
        f"--port={free_port()}",
    ) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(params=["REST", "gRPC"])
def client(request, server):
    """A client of a server, for each of its APIs."""
    url = server.url if request.param == "REST" else f"grpc://{server.grpc_address}"
    with Client(url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The paths of a private key and of its certificate, which a client can trust."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [find_program("openssl"), "req", "-x509", "-newkey", "ec", "-nodes"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", certificate]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return key, certificate
