"""Models that are a text in a file, so that a registry loads them without TensorFlow."""

from kerashw.serve.api.status_codes import RequestError


def load_text(path):
    """Load a version; `bad` cannot be loaded."""
    text = (path / "model").read_text()
    if text == "bad":
        raise RequestError("it is bad", "DATA_LOSS")
    return text


def write(base, version, text="good"):
    folder = base / str(version)
    folder.mkdir(parents=True)
    (folder / "model").write_text(text)
