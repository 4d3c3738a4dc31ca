"""The server as a real process: how it starts, what it shows besides predictions."""

import pathlib
import re
import socket
import subprocess

import pytest

import kerashw.serve
from kerashw.serve.page import page
from tests.ports import free_port
from tests.serve.processes import COMMAND, PREDICT
from tests.serve.recordings import load


def test_metrics_have_the_names_of_the_original(server):
    server.post(PREDICT, {"instances": [1.0, 2.0]})
    server.post("/v1/models/invented:predict", {"instances": [1.0]})
    status, page, headers = server.ask("GET", "/monitoring/prometheus/metrics")
    page = page.decode()
    assert (status, headers["content-type"]) == (200, "text/plain")
    for line in (
        r"^# TYPE :tensorflow:serving:request_count counter$",
        r'^:tensorflow:serving:request_count{model_name="half_plus_two",status="OK"} \d',
        r'^:tensorflow:serving:request_latency_bucket{model_name="half_plus_two",API="predict",'
        r'entrypoint="REST",le="10.0"} ',
        r'^:tensorflow:serving:runtime_latency_count{model_name="half_plus_two",API="Predict",'
        r'runtime="TF1"} ',
        r'^:tensorflow:serving:request_example_counts_sum{model="half_plus_two"} ',
        r'^:tensorflow:serving:request_example_count_total{model="half_plus_two"} ',
    ):
        assert re.search(line, page, re.MULTILINE), line
    assert "invented" not in page  # clients do not make the page grow


PAGE = pathlib.Path(kerashw.serve.__file__).parent / "page"


def test_the_page_and_its_files(server):
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for file in PAGE.iterdir():
        path = "/" if file.name == "index.html" else f"/page/{file.name}"
        status, body, headers = server.ask("GET", path)
        assert (status, body) == (200, file.read_bytes()), path
        assert headers["content-type"].startswith(types.get(file.suffix[1:], "text/html"))
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-cache"
        assert server.ask("HEAD", path)[:2] == (200, b"")
        assert server.ask("POST", path)[0] == 404


def test_nothing_but_the_page_is_reached(server):
    for path in ("index.html", "", "nosuch.js", "../page.py", "%2e%2e/page.py", "./main.js"):
        assert server.ask("GET", f"/page/{path}")[0] == 404, path
    assert server.ask("GET", "/page")[0] == 404


def test_what_else_lies_in_the_pages_folder_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "page").mkdir()
    for name in ("main.js", ".DS_Store", "main.js~", "notes"):
        (tmp_path / "page" / name).write_text("text")
    monkeypatch.setattr(page.resources, "files", lambda _: tmp_path)
    assert list(page.Page(None).files) == ["/page/main.js"]


def test_the_page_learns_what_the_models_take(server):
    status, answer = server.get("/page/models.json")
    models = {model["name"]: model for model in answer["models"]}
    assert status == 200
    for name, model in models.items():
        _, metadata = server.get(f"/v1/models/{name}/metadata")
        assert model["versions"][0] == metadata["model_spec"]["version"]
        definitions = metadata["metadata"]["signature_def"]["signature_def"]
        assert model["labels"] == []  # none lie beside these
        for signature, sides in model["signatures"].items():
            for side, tensors in sides.items():
                assert tensors == {
                    key: plain_info(info) for key, info in definitions[signature][side].items()
                }
    assert models["half_plus_two"]["signatures"]["serving_default"]["inputs"] == {
        "x": {"dtype": "DT_FLOAT", "shape": None}  # of any rank
    }


def plain_info(info):
    shape = info["tensor_shape"]
    sizes = [int(dimension["size"]) for dimension in shape["dim"]]
    return {"dtype": info["dtype"], "shape": None if shape["unknown_rank"] else sizes}


def refused(*flags):
    """Start a server that cannot start; return its only line."""
    ended = subprocess.run([*COMMAND, *map(str, flags)], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    lines = [line for line in ended.stderr.splitlines() if " INFO " not in line]
    assert lines[-1].startswith("python -m kerashw.serve: error: ")
    return lines[-1]


# In the words of the recorded server's log, most of them. Some made it wait for ever.
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
def test_a_failure_to_start_is_one_line(case, models, tmp_path):
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
    assert FAILURES[case] in refused(*flags, f"--rest_api_port={free_port()}")


def test_flags_that_cannot_be_followed(models):
    base = f"--model_base_path={models / 'fashion'}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refused(base, f"--rest_api_port={taken.getsockname()[1]}")
    assert "--ssl_config_file is not supported" in refused(base, "--ssl_config_file=x")
    assert "--nosuch" in refused(base, "--nosuch=1")
    assert "expected true or false" in refused(base, "--enable_batching=maybe")


def test_the_server_listens_here_only(server):
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
