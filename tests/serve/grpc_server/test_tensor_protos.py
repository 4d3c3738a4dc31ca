"""Tensors in protocol buffers are those that TensorFlow reads and writes."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from tensorflow.core.framework import tensor_pb2

from kerashw.serve.grpc_server.tensor_protos import read_tensor, write_tensor

MAX_BYTES = 10_000
NUMBERS = [
    *(np.float16, np.float32, np.float64, np.complex64, np.complex128, np.bool_),
    *(np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
]
shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
numbers = st.sampled_from(NUMBERS).flatmap(lambda dtype: arrays(dtype, shapes))
bfloats = arrays(np.uint16, shapes).map(lambda bits: np.asarray(bits).view(ml_dtypes.bfloat16))


@st.composite
def strings(draw):
    shape = draw(shapes)
    array = np.empty(int(np.prod(shape)), np.object_)
    array[:] = [draw(st.binary(max_size=5)) for _ in array]
    return array.reshape(shape)


def same(one, other):
    """Whether two arrays are equal to the last bit."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.tolist() == other.tolist() if one.dtype == object else bits(one) == bits(other)


def bits(array):
    return np.ascontiguousarray(array).tobytes()


@given(st.one_of(numbers, bfloats, strings()))
def test_arrays_are_read_as_tensorflow_writes_them_and_written_as_it_reads_them(array):
    array = np.asarray(array)
    written = tensor_pb2.TensorProto()
    write_tensor(array, written)
    assert not written.tensor_content
    made = tf.make_tensor_proto(array)
    assert same(read_tensor(made, MAX_BYTES), array)
    assert same(read_tensor(written, MAX_BYTES), array)
    assert same(tf.make_ndarray(written), array)
    assert same(parse(written), array)


def parse(proto):
    """Read a tensor with TensorFlow Serving's function."""
    tensor = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(proto.dtype)).numpy()
    return np.array(tensor, np.object_) if isinstance(tensor, bytes) else np.asarray(tensor)


# Values of all fields, of which a tensor has too many, too few or of another type.
VALUES = {
    "DT_FLOAT": ("float_val", st.floats(width=32)),
    "DT_DOUBLE": ("double_val", st.floats()),
    "DT_HALF": ("half_val", st.integers(0, 2**16 - 1)),
    "DT_BFLOAT16": ("half_val", st.integers(0, 2**16 - 1)),
    "DT_INT8": ("int_val", st.integers(-(2**31), 2**31 - 1)),
    "DT_UINT8": ("int_val", st.integers(-(2**31), 2**31 - 1)),
    "DT_INT16": ("int_val", st.integers(-(2**31), 2**31 - 1)),
    "DT_UINT16": ("int_val", st.integers(-(2**31), 2**31 - 1)),
    "DT_INT32": ("int_val", st.integers(-(2**31), 2**31 - 1)),
    "DT_INT64": ("int64_val", st.integers(-(2**63), 2**63 - 1)),
    "DT_UINT32": ("uint32_val", st.integers(0, 2**32 - 1)),
    "DT_UINT64": ("uint64_val", st.integers(0, 2**64 - 1)),
    "DT_BOOL": ("bool_val", st.booleans()),
    "DT_STRING": ("string_val", st.binary(max_size=5)),
    "DT_COMPLEX64": ("scomplex_val", st.floats(width=32)),
    "DT_COMPLEX128": ("dcomplex_val", st.floats()),
}


@st.composite
def protos(draw):
    dtype = draw(st.sampled_from(list(VALUES)))
    field, values = VALUES[dtype]
    proto = tensor_pb2.TensorProto(dtype=dtype)
    for size in draw(st.lists(st.integers(-1, 3), max_size=3)):
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_shape.unknown_rank = draw(st.integers(0, 9)) == 9
    getattr(proto, field).extend(draw(st.lists(values, max_size=6)))
    if draw(st.booleans()):
        proto.tensor_content = draw(contents(dtype))
    return proto


def contents(dtype):
    if dtype == "DT_STRING":  # sizes that may fit the bytes
        return st.lists(st.integers(0, 2), max_size=6).map(lambda n: bytes(n) + b"x" * sum(n))
    return st.integers(0, 3).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))


@given(protos())
def test_what_tensorflow_refuses_is_refused_and_the_rest_is_equal(proto):
    try:
        expected = parse(proto)
    except tf.errors.InvalidArgumentError:
        with pytest.raises(ValueError):
            read_tensor(proto, MAX_BYTES)
        return
    received = read_tensor(proto, MAX_BYTES)
    if expected.dtype == np.bool_:  # the bytes of tensor_content need not be 0 or 1
        assert received.shape == expected.shape
    else:
        assert same(received, expected)


@pytest.mark.parametrize(
    "proto",
    [
        {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": 2**62}]}, "float_val": [1]},
        {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": 2**40}] * 9}, "float_val": [1]},
        {"dtype": "DT_INT8", "tensor_shape": {"dim": [{"size": 0}, {"size": 2**62}]}},
        {"dtype": "DT_INT8", "tensor_shape": {"dim": [{"size": 1}] * 65}},
        {"dtype": "DT_STRING", "tensor_shape": {"dim": [{"size": 2**40}]}},
        {
            "dtype": "DT_STRING",
            "tensor_shape": {"dim": [{"size": 1000}]},
            "string_val": [b"x" * 100],
        },
        {
            "dtype": "DT_STRING",
            "tensor_shape": {"dim": [{"size": 1}]},
            "tensor_content": b"\x80" * MAX_BYTES,
        },
        {"dtype": "DT_VARIANT", "variant_val": [{}]},
        {"dtype": "DT_RESOURCE", "resource_handle_val": [{}]},
        {"dtype": 9999, "float_val": [1]},
        {"tensor_shape": {}},
    ],
)
def test_tensors_that_would_take_much_memory_or_no_array_can_be_are_refused(proto):
    with pytest.raises(ValueError):
        read_tensor(tensor_pb2.TensorProto(**proto), MAX_BYTES)
