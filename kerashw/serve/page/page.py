"""The demo page of `GET /`: its files, and what it has to know of the models.

The page asks the models as every other client does, through the REST API. Only its own files can
be reached here: they are read once, into a table by path.
"""

import json
from importlib import resources
from pathlib import Path

from tensorflow.core.framework import types_pb2

MODELS = "/page/models.json"
TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".json": b"application/json",
}
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class Page:
    """What the demo page is made of.

    Args:
        repository: `kerashw.serve.servables.model_registry.Repository`.
    """

    def __init__(self, repository):
        self.repository = repository
        self.files = _read_files()

    def find(self, path):
        """Return one of the page's files.

        Args:
            path: String, as the browser asks for it.

        Returns:
            Bytes, the file; and bytes, its type. None where there is no such file.
        """
        if path == MODELS:
            models = [_describe(*each) for each in sorted(self.repository.models.items())]
            return json.dumps({"models": models}).encode(), TYPES[".json"]
        return self.files.get(path)


def _read_files():
    files = {}
    for file in resources.files("kerashw.serve.page").iterdir():
        # What else lies there, as an editor's copy, is not the page's.
        suffix = Path(file.name).suffix
        if suffix in TYPES:
            path = "/" if file.name == "index.html" else f"/page/{file.name}"
            files[path] = file.read_bytes(), TYPES[suffix]
    return files


def _describe(name, model):
    """Return a model's name and versions, and the newest one's labels and signatures."""
    serving = model.serving
    newest = serving[max(serving)] if serving else None
    return {
        "name": name,
        "versions": [str(number) for number in sorted(serving, reverse=True)],
        "labels": newest.labels if newest else [],
        "signatures": {
            signature: {"inputs": _tensors(each.inputs), "outputs": _tensors(each.outputs)}
            for signature, each in (newest.definitions if newest else {}).items()
        },
    }


def _tensors(infos):
    return {
        name: {
            "dtype": types_pb2.DataType.Name(info.dtype),
            "shape": None
            if info.tensor_shape.unknown_rank
            else [dimension.size for dimension in info.tensor_shape.dim],
        }
        for name, info in infos.items()
    }
