"""The server process: how it starts, and how it fails to start."""

import pathlib
import re
import signal
import socket
import subprocess

import pytest

import kerashw.serve
from kerashw.serve.__main__ import main
from tests.ports import free_port
from tests.serve.processes import COMMAND
from tests.serve.recordings import load


def fail_to_start(*flags):
    """Start a server that cannot start; return its error message."""
    command = [*COMMAND, *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
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


def test_a_port_in_use(models, capsys, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")  # which the command sets
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        flags = [f"--model_base_path={models / 'fashion'}", f"--rest_api_port={port}"]
        assert main(flags) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "in use" in line


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--ssl_config_file=x", "--ssl_config_file is not supported"),
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
