"""The files of a SavedModel: which graph is loaded, and which file cannot be read."""

import contextlib
import os
import re
import tempfile
from pathlib import Path

from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from kerashw.serve.api.status_codes import RequestError

# TensorFlow takes the path of the variables as a pattern.
_PATTERN = re.compile(r"[*?\[\\]")


def read_meta_graph(path, tags):
    """Read the meta graph that has the tags, and if there is none, the only one that has more tags.

    Args:
        path: `Path` of a version's folder.
        tags: Set of strings.

    Returns:
        `MetaGraphDef`.

    Raises:
        RequestError: If the folder has no SavedModel with these tags. The code and the message are
            TensorFlow Serving's.
        OSError: If the file cannot be read.
    """
    graphs = _read_saved_model(Path(path)).meta_graphs
    for graph in graphs:
        if set(graph.meta_info_def.tags) == set(tags):
            return graph
    candidates = [graph for graph in graphs if set(graph.meta_info_def.tags) > set(tags)]
    if len(candidates) == 1:
        return candidates[0]
    raise RequestError(
        "Could not find meta graph def matching supplied tags: "
        f"{{ {' '.join(sorted(tags))} }}. To inspect available tag-sets in the SavedModel, please "
        "use the SavedModel CLI: `saved_model_cli`",
        "NOT_FOUND",
    )


def _read_saved_model(path):
    saved_model = saved_model_pb2.SavedModel()
    binary, text = path / "saved_model.pb", path / "saved_model.pbtxt"
    if binary.is_file():
        content = _read(binary)
        try:
            saved_model.ParseFromString(content)
        except Exception as error:  # DecodeError, whose class differs between versions of protobuf
            # TensorFlow Serving's message for every file that is not a SavedModel.
            raise RequestError("Read less bytes than requested", "OUT_OF_RANGE") from error
    elif text.is_file():
        content = _read(text)
        try:
            text_format.Parse(content, saved_model)
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise RequestError(f"Can't parse {text} as text proto", "DATA_LOSS") from error
    else:
        raise RequestError(
            "Specified file path does not appear to contain a SavedModel bundle (should have a "
            f"file called `saved_model.pb`)\nSpecified file path: {path}",
            "NOT_FOUND",
        )
    return saved_model


@contextlib.contextmanager
def variables_prefix(path):
    """Find the variables of a SavedModel under a path that TensorFlow can open.

    Args:
        path: `Path` of a version's folder.

    Yields:
        String, the common beginning of the paths of the files. It is valid within the block.
    """
    with contextlib.ExitStack() as stack:
        if _PATTERN.search(str(path)):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            link = Path(folder) / "version"
            link.symlink_to(Path(path).absolute())
            path = link
        yield str(Path(path) / "variables" / "variables")


def find_unreadable_file(path):
    """Look for a file or folder that cannot be read. TensorFlow may report it as a missing one.

    Args:
        path: `Path` of a version's folder.

    Returns:
        The `OSError` of the first one, or None.
    """
    try:
        for folder, _, names in os.walk(path, onerror=_raise):
            for file in (Path(folder) / name for name in names):
                if file.is_file():  # reading a pipe would block
                    _read(file, 1)
    except OSError as error:
        return error
    return None


def _read(file, size=-1):
    """Read a file. An error names it, also if the file can be opened but not read."""
    try:
        with file.open("rb") as opened:
            return opened.read(size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error


def _raise(error):
    raise error
