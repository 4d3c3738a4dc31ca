"""A signature of a SavedModel, called through a TensorFlow session."""

import threading
import time

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.batch_tensors import element_count
from kerashw.tensorflow_private import make_callable

# Calls that take longer run on another thread than the event loop's.
FAST_SECONDS = 0.0007


class Signature:
    """A signature of a SavedModel.

    Args:
        signature_def: `SignatureDef`.
        session: `tf.compat.v1.Session` of the model.
        check_shapes: Boolean, whether inputs of other shapes than the signature's are refused.

    Attributes:
        signature_def: As above.
        types: Dictionary, the inputs: name → TensorFlow's name of the type.
    """

    def __init__(self, signature_def, session, check_shapes=False):
        self.signature_def = signature_def
        inputs = signature_def.inputs
        self.types = {name: _type_name(inputs[name].dtype) for name in sorted(inputs)}
        self._example_shapes = _example_shapes(signature_def)
        self._fast_size = 0  # the number of input elements up to which calls are fast
        self._shapes = {}
        if check_shapes:
            self._shapes = {
                name: tf.TensorShape(info.tensor_shape) for name, info in inputs.items()
            }
        self._outputs = tuple(sorted(signature_def.outputs))
        self._session = session
        self._callable = None
        self._lock = threading.Lock()

    def run(self, tensors):
        """Call the signature.

        Args:
            tensors: Dictionary of arrays, one for each input.

        Returns:
            Dictionary of arrays, one for each output.

        Raises:
            RequestError: If the call fails.
        """
        for name, shape in self._shapes.items():
            _check_shape(name, tensors[name].shape, shape)
        call = self._callable or self._make_callable()
        started = time.perf_counter()
        try:
            values = call(*[tensors[name] for name in self.types])
        except tf.errors.OpError as error:
            raise RequestError.from_tensorflow(error) from None
        self._update_fast_size(element_count(tensors), time.perf_counter() - started)
        return dict(zip(self._outputs, map(_as_array, values), strict=True))

    def is_batch(self, tensors):
        """Return whether the tensors are a batch of examples, which can be in a batch with others.

        Args:
            tensors: Dictionary of arrays, one for each input.
        """
        return self._example_shapes is not None and all(
            _fits(tensors[name].shape[1:], shape) for name, shape in self._example_shapes.items()
        )

    def is_fast(self, size):
        """Return whether a call is fast enough for the event loop's thread.

        Args:
            size: Integer, the number of elements of all inputs.
        """
        return size <= self._fast_size

    def _update_fast_size(self, size, seconds):
        if seconds > FAST_SECONDS:
            self._fast_size = min(self._fast_size, size // 2)
        elif size > self._fast_size:
            self._fast_size = size

    def _make_callable(self):
        with self._lock:
            if self._callable is None:
                options = config_pb2.CallableOptions(
                    feed=[self.signature_def.inputs[name].name for name in self.types],
                    fetch=[self.signature_def.outputs[name].name for name in self._outputs],
                )
                try:
                    self._callable = make_callable(self._session, options)
                except tf.errors.OpError as error:
                    raise RequestError.from_tensorflow(error) from None
            return self._callable


def _example_shapes(signature_def):
    """Return the shapes of one example by the names of the inputs.

    They are tuples, in which -1 stands for any size. The result is None if the first dimension of
    an input or an output is not that of a batch.
    """
    inputs = signature_def.inputs
    for info in (*inputs.values(), *signature_def.outputs.values()):
        if not info.tensor_shape.dim or info.tensor_shape.dim[0].size != -1:
            return None
    return {
        name: tuple(dim.size for dim in info.tensor_shape.dim[1:]) for name, info in inputs.items()
    }


def _fits(shape, expected):
    return shape == expected or (
        len(shape) == len(expected)
        and all(b in (-1, a) for a, b in zip(shape, expected, strict=True))
    )


def _check_shape(name, received, expected):
    if not expected.is_compatible_with(received) or 0 in received:
        sizes = ",".join("?" if size is None else str(size) for size in expected.as_list())
        raise RequestError(
            f"input {name} must have the shape [{sizes}], and at least one element. "
            f"Received: [{','.join(map(str, received))}]"
        )


def _as_array(value):
    """Return an output as an array. TensorFlow returns a scalar string as bytes."""
    return np.array(value, np.object_) if isinstance(value, bytes) else np.asarray(value)


def _type_name(dtype):
    """Return the C++ name of a type, which TensorFlow Serving's messages contain."""
    name = tf.as_dtype(dtype).name
    return {"float32": "float", "float64": "double", "float16": "half"}.get(name, name)
