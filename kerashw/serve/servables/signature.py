"""A signature of a SavedModel, called through a TensorFlow session."""

import threading

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from kerashw.serve.api.status_codes import RequestError
from kerashw.tensorflow_private import make_callable


class Signature:
    """A signature of a SavedModel.

    Args:
        signature_def: `SignatureDef`.
        session: `tf.compat.v1.Session` of the model.
        check_shapes: Boolean, whether inputs of other shapes than the signature's are refused.

    Attributes:
        signature_def: As above.
        types: Dictionary, the inputs: name → TensorFlow's name of the type.
        inline_size: Integer, the number of input elements up to which calls are fast. It is set by
            `kerashw.serve.api.inference_request.InferenceRequest`.
    """

    def __init__(self, signature_def, session, check_shapes=False):
        self.signature_def = signature_def
        inputs = signature_def.inputs
        self.types = {name: _type_name(inputs[name].dtype) for name in sorted(inputs)}
        self.inline_size = 0
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
        try:
            values = call(*[tensors[name] for name in self.types])
        except tf.errors.OpError as error:
            raise RequestError.from_tensorflow(error) from None
        return dict(zip(self._outputs, map(_as_array, values), strict=True))

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
