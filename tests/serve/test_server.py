"""The server process: how it starts, and how it fails to start."""

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

import kerashw.serve
from kerashw.errors import ServeError
from kerashw.serve.__main__ import main
from kerashw.serve.listening_socket import bound_socket, release_reservation
from tests.conftest import ROOT, find_program
from tests.ports import free_port
from tests.serve.processes import COMMAND
from tests.serve.recordings import load


def fail_to_start(*flags, prefix=(), **settings):
    """Start a server that cannot start; return its error message."""
    command = [*prefix, *COMMAND, "--port=0", *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    lines = [line for line in result.stderr.splitlines() if " INFO " not in line]
    assert lines[-1].startswith("python -m kerashw.serve: error: ")
    return lines[-1]


# Most messages are those in the log of the recorded server, which waits for ever in some cases.
FAILURES = {
    "missing_base_path": "Expected model default to have an absolute path",
    "empty_base_path": "No versions of servable",
    "relative_base_path": "Expected model default to have an absolute path or URI",
    "corrupt_only_version": "OUT_OF_RANGE: Read less bytes than requested",
    "no_flags": "Neither --model_base_path nor --model_config_file",
    "bad_config_file": 'has no field named "nosuch"',
    "missing_config_file": "nosuch.config",
    "label_at_startup_without_allow_flag": "Request to assign label to version 1 of model a",
    "specific_missing_version": "No versions of servable a found",
    "wrong_tags": "Could not find meta graph def matching supplied tags: { foo }",
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_to_start_is_reported(case, models, tmp_path):
    recorded = next(entry for entry in load("startup.json") if entry["case"] == case)
    folder = tmp_path / "START"
    (folder / "empty").mkdir(parents=True)
    (folder / "corrupt" / "1").mkdir(parents=True)
    (folder / "corrupt" / "1" / "saved_model.pb").write_text("garbage")
    entry = f'name: "a" base_path: "{models}/fashion" model_platform: "tensorflow"'
    for name, text in {
        "bad": "config { nosuch: 1 }",
        "lab2": f'config {{ {entry} version_labels {{ key: "x" value: 1 }} '
        "model_version_policy { all {} } }",
        "spec": f"config {{ {entry} model_version_policy {{ specific {{ versions: 9 }} }} }}",
    }.items():
        (folder / f"{name}.config").write_text(f"model_config_list {{ {text} }}")
    places = {"START": folder, "MODELS": models}
    flags = [
        re.sub("START|MODELS", lambda found: str(places[found[0]]), flag)
        for flag in recorded["flags"]
    ]
    assert FAILURES[case] in fail_to_start(*flags, f"--rest_api_port={free_port()}")


@pytest.fixture
def without_tensorflow(tmp_path):
    """Settings of a process that cannot import TensorFlow, and the flags of a model."""
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('TensorFlow is imported')")
    version = tmp_path / "model" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    model = f"--model_base_path={tmp_path / 'model'}"
    return {"env": os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}}, model


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--rest_api_port=65536", "must be at least 1 and at most 65535. Received: 65536"),
        ("--host=nosuch.invalid", "Cannot listen on nosuch.invalid:8501: .*--host must be"),
        ("--host=a..b", "Cannot listen on a..b:8501: Name not valid. --host must be"),
        ("--host=192.0.2.1", "192.0.2.1:8501: Cannot assign requested address. --host must be"),
    ],
)
def test_an_address_that_cannot_be_used(flag, message, without_tensorflow):
    settings, model = without_tensorflow
    assert re.search(message, fail_to_start(model, flag, **settings))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("flag", ["rest_api_port", "port"])
def test_a_port_in_use(flag, host, without_tensorflow):
    settings, model = without_tensorflow
    flags = [model, f"--host={host}", f"--rest_api_port={free_port()}"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = fail_to_start(*flags, f"--{flag}={port}", **settings)
    assert f"{host}:{port}: Address already in use. Stop the program" in line
    assert line.endswith(f"or choose another --{flag}")


def test_a_port_of_the_administrator(without_tensorflow):
    lowest = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not lowest.exists() or int(lowest.read_text()) <= 80:
        pytest.skip("every user may use every port")
    prefix = ()
    if os.geteuid() == 0:
        prefix = (find_program("setpriv"), "--bounding-set=-net_bind_service")
    settings, model = without_tensorflow
    line = fail_to_start(model, "--rest_api_port=80", prefix=prefix, **settings)
    assert "127.0.0.1:80: Permission denied. Only the administrator" in line


def test_a_port_belongs_to_the_server_that_was_started_first():
    """Also while it loads its models and does not listen yet."""
    with bound_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))
        with pytest.raises(ServeError, match="already in use"), bound_socket("127.0.0.1", port):
            pass
        release_reservation(first)
        first.listen()
        with socket.create_connection(("127.0.0.1", port)) as client, first.accept()[0] as accepted:
            accepted.shutdown(socket.SHUT_RDWR)
            assert client.recv(1) == b""
    with bound_socket("127.0.0.1", port):  # at once, though a connection is not quite closed
        pass


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--platform_config_file=x", "--platform_config_file is not supported"),
        ("--port=-1", "--port must be at least 0 and at most 65535. Received: -1"),
        ("--port=8501", "--port and --rest_api_port must differ. Received: 8501 for both"),
        ("--grpc_channel_arguments=x", "expected KEY=VALUE,... Received: x"),
        ("--nosuch=1", "--nosuch"),
        ("--enable_batching=maybe", "expected true or false"),
        ("--rest_api_port=0", "--rest_api_port must be at least 1"),
    ],
)
def test_invalid_flags(flag, message, models, capsys):
    with pytest.raises(SystemExit) as result:
        main([f"--model_base_path={models / 'fashion'}", flag])
    assert result.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_the_server_listens_on_the_local_address_only(server):
    address = next(
        (each[4][0] for each in socket.getaddrinfo(socket.gethostname(), server.port)), None
    )
    if address and not address.startswith("127.") and ":" not in address:
        with pytest.raises(OSError):
            socket.create_connection((address, server.port), 5).close()


def test_nothing_unsafe_is_called():
    for module in pathlib.Path(kerashw.serve.__file__).parent.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"\b(pickle|eval\(|exec\(|load_model|marshal|shell=True)", text), (
            module
        )


@pytest.mark.skipif(sys.platform != "linux", reason="reads the loaded libraries from /proc")
def test_the_process_has_not_imported_keras(server):
    libraries = pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "tensorflow" in libraries
    assert "matplotlib" not in libraries  # Keras imports it
