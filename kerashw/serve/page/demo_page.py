"""The demo page of `GET /`: its static files, and the description of the models that it reads.

The page sends its requests to the REST API, as every other client does. The files are read once
into a dictionary by path, so no other file can be requested.
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
        # The page can use the models of another server, and makes pictures of itself.
        b"default-src 'self'; connect-src 'self' http: https:; img-src 'self' data:; "
        b"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class DemoPage:
    """The files of the demo page.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
    """

    def __init__(self, registry):
        self.registry = registry
        self.files = _read_files()

    def find(self, path):
        """Return a file of the page.

        Args:
            path: String, the path in the URL.

        Returns:
            Pair of bytes, the file and its content type; `None` if there is no such file.
        """
        if path == MODELS:
            models = [_describe(*each) for each in sorted(self.registry.models.items())]
            return json.dumps({"models": models}).encode(), TYPES[".json"]
        return self.files.get(path)


def _read_files():
    files = {}
    for file in resources.files("kerashw.serve.page").iterdir():
        # Skips this module, and files such as an editor's backup copies.
        suffix = Path(file.name).suffix
        if suffix in TYPES:
            path = "/" if file.name == "index.html" else f"/page/{file.name}"
            files[path] = file.read_bytes(), TYPES[suffix]
    return files


def _describe(name, model):
    """Return the name and versions of a model, and the labels and signatures of the newest one."""
    serving = model.serving
    newest = serving[max(serving)] if serving else None
    return {
        "name": name,
        "versions": [str(number) for number in sorted(serving, reverse=True)],
        "labels": newest.labels if newest else [],
        "signatures": {
            signature: {
                "inputs": _describe_tensors(each.inputs),
                "outputs": _describe_tensors(each.outputs),
            }
            for signature, each in (newest.signature_defs if newest else {}).items()
        },
    }


def _describe_tensors(infos):
    return {
        name: {
            "dtype": types_pb2.DataType.Name(info.dtype),
            "shape": None
            if info.tensor_shape.unknown_rank
            else [dimension.size for dimension in info.tensor_shape.dim],
        }
        for name, info in infos.items()
    }
