"""One version of a model: a SavedModel in memory, called as TensorFlow Serving calls it."""

import re
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.signature import Signature

v1 = tf.compat.v1
# Operations on images. Each axis of their inputs has a meaning.
_IMAGE_OPERATION = re.compile("Conv|Pool|BatchNorm|DepthToSpace|SpaceToDepth")


class LoadedModel:
    """A loaded SavedModel.

    As in TensorFlow Serving, it is called through a session. Therefore SavedModels of TensorFlow 1
    and 2 behave alike, the errors have the same messages, and a call has an overhead of 10 µs,
    while a concrete function's is 150 µs. As in TensorFlow Serving, the shapes of the inputs are
    not checked, except for models that process images: oneDNN would end the process.

    Args:
        path: `Path` of the version's folder.
        tags: Set of strings, the tags of the meta graph to load.
        session_config: `tf.compat.v1.ConfigProto` or None.

    Raises:
        RequestError: If it cannot be loaded. The code and the message are TensorFlow Serving's.

    Attributes:
        signatures: Dictionary of `kerashw.serve.servables.signature.Signature` by name.
        signature_defs: Map of `SignatureDef` by name.
        labels: List of strings, the names of the classes; empty if the model has no labels file.
    """

    def __init__(self, path, tags=frozenset({"serve"}), session_config=None):
        self.signature_defs = _read_signature_defs(path, tags)
        self._graph = tf.Graph()
        self._session = v1.Session(graph=self._graph, config=session_config or default_config())
        try:
            with self._graph.as_default():
                v1.saved_model.loader.load(self._session, list(tags), str(path))
        except tf.errors.OpError as error:
            raise RequestError.from_tensorflow(error) from error
        except Exception as error:  # TensorFlow's loader raises any type for a damaged file
            raise RequestError(f"{type(error).__name__}: {error}", "UNKNOWN") from error
        self.labels = _read_labels(path)
        graph = self._graph.as_graph_def()
        self.signatures = {
            name: Signature(
                signature_def, self._session, _has_image_operations(graph, signature_def)
            )
            for name, signature_def in self.signature_defs.items()
        }


def _has_image_operations(graph, signature_def):
    """Return whether a signature needs convolutions, pooling or the like.

    oneDNN's kernels for these end the process if an input has another rank or no elements.
    """
    outputs = [output.name for output in signature_def.outputs.values()]
    return any(map(_IMAGE_OPERATION.search, _operations(graph, outputs)))


def _operations(graph, tensors):
    """Yield the operations on which tensors of a graph depend, also inside functions."""
    nodes = {node.name: [node] for node in graph.node}
    functions = {function.signature.name: function.node_def for function in graph.library.function}
    pending = [(nodes, tensor) for tensor in tensors]
    seen = set()
    while pending:
        owner, name = pending.pop()
        name = name.removeprefix("^").partition(":")[0]
        if (id(owner), name) in seen:
            continue
        seen.add((id(owner), name))
        for node in owner.get(name, ()):
            yield node.op
            pending += [(nodes, tensor) for tensor in node.input if owner is nodes]
            for attribute in node.attr.values():
                called = [attribute.func, *attribute.list.func]
                pending += [(functions, function.name) for function in called]


def default_config(intra_op=0, gpu_memory_fraction=0.0):
    """Return the settings of a session, which runs operations on the calling thread.

    Args:
        intra_op: Integer, the number of threads for one operation; 0 for the number of cores.
        gpu_memory_fraction: Float, the part of a GPU's memory to allocate; 0 to allocate memory as
            needed.

    Returns:
        `tf.compat.v1.ConfigProto`.
    """
    config = v1.ConfigProto(inter_op_parallelism_threads=-1, intra_op_parallelism_threads=intra_op)
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = gpu_memory_fraction
    return config


def _read_labels(path):
    try:
        return (Path(path) / "assets.extra" / "labels.txt").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):  # only the demo page shows labels
        return []


def _read_signature_defs(path, tags):
    """Return the signatures of the meta graph that has the tags."""
    file = Path(path) / "saved_model.pb"
    if not file.is_file():
        raise RequestError(
            "Specified file path does not appear to contain a SavedModel bundle (should have a "
            f"file called `saved_model.pb`)\nSpecified file path: {path}",
            "NOT_FOUND",
        )
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString(file.read_bytes())
    except Exception as error:  # DecodeError, whose class differs between versions of protobuf
        # TensorFlow Serving's message for every file that is not a SavedModel.
        raise RequestError("Read less bytes than requested", "OUT_OF_RANGE") from error
    for graph in saved_model.meta_graphs:
        if set(graph.meta_info_def.tags) == set(tags):
            return graph.signature_def
    raise RequestError(
        "Could not find meta graph def matching supplied tags: "
        f"{{ {' '.join(sorted(tags))} }}. To inspect available tag-sets in the SavedModel, please "
        "use the SavedModel CLI: `saved_model_cli`",
        "NOT_FOUND",
    )
