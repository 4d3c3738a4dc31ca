"""One version of a model: a SavedModel in memory, run as TensorFlow Serving runs it."""

import itertools
import re
import threading
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, saved_model_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.tensorflow_private import make_callable

v1 = tf.compat.v1
# Operations on images, whose axes have a meaning each.
LAYOUT = re.compile("Conv|Pool|BatchNorm|DepthToSpace|SpaceToDepth")


class SavedModel:
    """A loaded SavedModel.

    It is run through a session, as in TensorFlow Serving. So SavedModels of TensorFlow 1 and 2 are
    alike, errors have the same texts, and a call costs 10 µs where a concrete function's costs 150.
    The static shapes of a signature are not checked either, but where that would end the process.

    Args:
        path: `Path` of the version's folder.
        tags: Set of strings, which meta graph to load.
        session_config: `tf.compat.v1.ConfigProto` or None.

    Raises:
        RequestError: If it cannot be loaded; with TensorFlow Serving's code and text.

    Attributes:
        signatures: Dictionary of `Signature` by name.
        definitions: Map of the `SignatureDef`s by name, also of those that cannot be run.
        labels: List of strings, the classes' names; empty where none lie beside the model.
    """

    def __init__(self, path, tags=frozenset({"serve"}), session_config=None):
        definitions = _read_definitions(path, tags)
        self._graph = tf.Graph()
        self._session = v1.Session(graph=self._graph, config=session_config or default_config())
        try:
            with self._graph.as_default():
                v1.saved_model.loader.load(self._session, list(tags), str(path))
        except tf.errors.OpError as error:
            raise RequestError.from_tensorflow(error) from error
        except Exception as error:  # whatever a damaged file makes TensorFlow's loader say
            raise RequestError(f"{type(error).__name__}: {error}", "UNKNOWN") from error
        self.definitions = definitions
        self.labels = _read_labels(path)
        checks_shapes = _has_layout(self._graph.as_graph_def())
        self.signatures = {
            name: Signature(definition, self._session, checks_shapes)
            for name, definition in definitions.items()
        }


class Signature:
    """A signature of a SavedModel.

    Args:
        definition: `SignatureDef`.
        session: `tf.compat.v1.Session` to run it in.
        checks_shapes: Boolean, whether to refuse inputs that have not the shapes of the definition.

    Attributes:
        definition: As above.
        types: Dictionary, TensorFlow's name of each input's type by the input's name.
        quick_size: Integer, up to how many elements of its inputs it was quick.
    """

    def __init__(self, definition, session, checks_shapes=False):
        self.definition = definition
        self._shapes = {}
        if checks_shapes:
            self._shapes = {
                name: tf.TensorShape(given.tensor_shape)
                for name, given in definition.inputs.items()
            }
        self.types = {
            name: _type_name(definition.inputs[name].dtype) for name in sorted(definition.inputs)
        }
        self.quick_size = 0
        self._inputs = tuple(self.types)
        self._outputs = tuple(sorted(definition.outputs))
        self._session = session
        self._callable = None
        self._lock = threading.Lock()

    def run(self, tensors):
        """Run the signature.

        Args:
            tensors: Dictionary of arrays, one for each input.

        Returns:
            Dictionary of arrays, one for each output.

        Raises:
            RequestError: If the model fails.
        """
        for name, shape in self._shapes.items():
            _check_shape(name, tensors[name].shape, shape)
        call = self._callable or self._make_callable()
        try:
            values = call(*[tensors[name] for name in self._inputs])
        except tf.errors.OpError as error:
            raise RequestError.from_tensorflow(error) from None
        return dict(zip(self._outputs, map(_as_array, values), strict=True))

    def _make_callable(self):
        with self._lock:
            if self._callable is None:
                options = config_pb2.CallableOptions(
                    feed=[self.definition.inputs[name].name for name in self._inputs],
                    fetch=[self.definition.outputs[name].name for name in self._outputs],
                )
                try:
                    self._callable = make_callable(self._session, options)
                except tf.errors.OpError as error:
                    raise RequestError.from_tensorflow(error) from None
            return self._callable


def _has_layout(graph):
    """Return whether a graph convolves or pools.

    oneDNN's kernels for these end the whole process where an input has another rank, or no
    elements.
    """
    functions = (node for function in graph.library.function for node in function.node_def)
    nodes = itertools.chain(graph.node, functions)
    return any(LAYOUT.search(node.op) for node in nodes)


def _check_shape(name, found, expected):
    if not expected.is_compatible_with(found) or 0 in found:
        sizes = ",".join("?" if size is None else str(size) for size in expected.as_list())
        raise RequestError(
            f"input {name} must have the shape [{sizes}], and at least one element. "
            f"Received: [{','.join(map(str, found))}]"
        )


def _as_array(value):
    """Return an output as an array; scalar strings are bytes."""
    return np.array(value, np.object_) if isinstance(value, bytes) else np.asarray(value)


def _type_name(dtype):
    """Return the C++ name of a type, which is the one in answers."""
    name = tf.as_dtype(dtype).name
    return {"float32": "float", "float64": "double", "float16": "half"}.get(name, name)


def default_config(intra_op=0, gpu_memory_fraction=0.0):
    """Return the settings of a session: its work is done on the thread that asks for it.

    Args:
        intra_op: Integer, threads for one operation; 0 for as many as there are cores.
        gpu_memory_fraction: Float, how much of a GPU's memory to take; 0 for what is needed.

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
    except (OSError, UnicodeDecodeError):  # only the page shows them
        return []


def _read_definitions(path, tags):
    """Return the signatures of the meta graph with these tags."""
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
    except Exception as error:  # DecodeError, of another class in each of protobuf's versions
        # TensorFlow Serving's words for every file that is no SavedModel.
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
