"""Hypothesis strategies for JSON values and tensors, and the comparison of tensors."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerashw.serve.json_text.dtypes import NUMPY_TYPES

DTYPES = st.sampled_from(sorted(NUMPY_TYPES))
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def tensors(dtype, shapes=SHAPES):
    """Arrays of one of TensorFlow's types."""
    numpy_type = NUMPY_TYPES[dtype]
    if dtype == "string":
        elements = st.binary(max_size=8)
        return arrays.arrays(object, shapes, elements=elements, fill=st.nothing())
    if dtype == "bfloat16":
        wide = st.floats(width=16, allow_subnormal=False)
        return arrays.arrays(np.float32, shapes, elements=wide).map(lambda a: a.astype(numpy_type))
    if numpy_type.kind == "f":
        elements = st.floats(width=8 * numpy_type.itemsize, allow_subnormal=False)
        return arrays.arrays(numpy_type, shapes, elements=elements)
    return arrays.arrays(numpy_type, shapes)


def assert_same(one, other):
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    if one.dtype == object:
        assert one.tolist() == other.tolist()
    else:
        wide = [np.float64 if a.dtype.kind not in "biu" else a.dtype for a in (one, other)]
        np.testing.assert_array_equal(one.astype(wide[0]), other.astype(wide[1]))
