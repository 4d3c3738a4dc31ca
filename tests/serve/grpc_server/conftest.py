"""A client of the server that all tests share, and a certificate."""

import subprocess

import pytest

from tests.conftest import find_program
from tests.serve.grpc_server.calls import connected_client


@pytest.fixture(scope="session")
def client(server):
    with connected_client(server.grpc_address) as connected:
        yield connected


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The folder of a key and a certificate that signs itself, and of an ssl.config with them."""
    folder = tmp_path_factory.mktemp("tls")
    command = f"{find_program('openssl')} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x"
    command += " -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    command += " -keyout key.pem -out certificate.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    key, pem = (
        (folder / f"{name}.pem").read_text().replace("\n", "\\n") for name in ("key", "certificate")
    )
    text = f'server_key: "{key}" server_cert: "{pem}" custom_ca: "{pem}"'
    (folder / "ssl.config").write_text(text)
    return folder
