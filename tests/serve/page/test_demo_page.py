"""The files of the page, over HTTP."""

import pathlib

import kerashw.serve.page
from kerashw.serve.page import demo_page

FOLDER = pathlib.Path(kerashw.serve.page.__file__).parent
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def test_the_files_are_served(server):
    files = [file for file in FOLDER.iterdir() if file.suffix in TYPES]
    assert {file.suffix for file in files} == set(TYPES)
    for file in files:
        path = "/" if file.name == "index.html" else f"/page/{file.name}"
        status, body, headers = server.request("GET", path)
        assert (status, body) == (200, file.read_bytes()), path
        assert headers["content-type"].startswith(TYPES[file.suffix])
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-cache"
        assert server.request("HEAD", path)[:2] == (200, b"")
        assert server.request("POST", path)[0] == 404


def test_no_other_file_is_served(server):
    names = ["index.html", "", "nosuch.js", "__init__.py", "demo_page.py"]
    names += ["../server.py", "%2e%2e/server.py", "./main.js"]
    for name in names:
        assert server.request("GET", f"/page/{name}")[0] == 404, name
    assert server.request("GET", "/page")[0] == 404


def test_other_files_in_the_folder_are_ignored(tmp_path, monkeypatch):
    for name in ("main.js", ".DS_Store", "main.js~", "notes", "demo_page.py"):
        (tmp_path / name).write_text("text")
    monkeypatch.setattr(demo_page.resources, "files", lambda package: tmp_path)
    assert list(demo_page.DemoPage(None).files) == ["/page/main.js"]


def test_the_list_of_models_agrees_with_their_metadata(server):
    status, response = server.get("/page/models.json")
    models = {model["name"]: model for model in response["models"]}
    assert status == 200
    for name, model in models.items():
        _, metadata = server.get(f"/v1/models/{name}/metadata")
        assert model["versions"][0] == metadata["model_spec"]["version"]
        definitions = metadata["metadata"]["signature_def"]["signature_def"]
        assert model["labels"] == []  # these models have no labels
        for signature, sides in model["signatures"].items():
            for side, tensors in sides.items():
                assert tensors == {
                    key: simplify(info) for key, info in definitions[signature][side].items()
                }
    assert models["half_plus_two"]["signatures"]["serving_default"]["inputs"] == {
        "x": {"dtype": "DT_FLOAT", "shape": None}  # of any rank
    }


def simplify(info):
    shape = info["tensor_shape"]
    sizes = [int(dimension["size"]) for dimension in shape["dim"]]
    return {"dtype": info["dtype"], "shape": None if shape["unknown_rank"] else sizes}
