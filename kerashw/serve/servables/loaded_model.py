"""One version of a model: a SavedModel in memory, called as TensorFlow Serving calls it."""

import re
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.saved_model_files import (
    find_unreadable_file,
    read_meta_graph,
    variables_prefix,
)
from kerashw.serve.servables.signature import Signature
from kerashw.tensorflow_private import make_callable

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
        try:
            meta_graph = read_meta_graph(path, tags)
        except OSError as error:
            raise RequestError.from_exception(error) from error
        self.signature_defs = meta_graph.signature_def
        self._graph = tf.Graph()
        self._session = v1.Session(graph=self._graph, config=session_config or default_config())
        try:
            _load(self._session, meta_graph, path)
        except Exception as error:  # TensorFlow's loader raises any type for a damaged file
            raise _reason(error, path) from error
        self.labels = _read_labels(path)
        graph = self._graph.as_graph_def()
        self.signatures = {
            name: Signature(
                signature_def, self._session, _has_image_operations(graph, signature_def)
            )
            for name, signature_def in self.signature_defs.items()
        }


def _load(session, meta_graph, path):
    """Load a graph, its variables and its tables, in the steps of TensorFlow Serving's loader."""
    with session.graph.as_default():
        saver = v1.train.import_meta_graph(meta_graph)
    if saver:
        saver_def = saver.saver_def
        restore = config_pb2.CallableOptions(
            feed=[saver_def.filename_tensor_name], target=[saver_def.restore_op_name]
        )
        with variables_prefix(path) as prefix:
            make_callable(session, restore)(prefix)
    operation = _init_operation(meta_graph)
    if operation:
        assets = _assets(meta_graph)
        initialize = config_pb2.CallableOptions(feed=list(assets), target=[operation])
        files = (str(Path(path) / "assets" / name) for name in assets.values())
        make_callable(session, initialize)(*files)


def _init_operation(meta_graph):
    """Return the name of the operation that initializes tables, or None."""
    key = "__saved_model_init_op"  # of TensorFlow 2; the others are TensorFlow 1's
    if key in meta_graph.signature_def:
        return meta_graph.signature_def[key].outputs[key].name
    for key in ("saved_model_main_op", "legacy_init_op"):
        for name in meta_graph.collection_def[key].node_list.value:
            return name
    return None


def _assets(meta_graph):
    """Return the names of the asset files by the names of the tensors that receive their paths."""
    assets = list(meta_graph.asset_file_def)
    for value in meta_graph.collection_def["saved_model_assets"].any_list.value:
        assets.append(meta_graph_pb2.AssetFileDef())
        value.Unpack(assets[-1])
    return {asset.tensor_info.name: asset.filename for asset in assets}


def _reason(error, path):
    """Return the reason why a SavedModel cannot be loaded, as a `RequestError`."""
    unreadable = find_unreadable_file(path)
    if unreadable is None and isinstance(error, tf.errors.OpError):
        return RequestError.from_tensorflow(error)
    return RequestError.from_exception(unreadable or error)


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
