"""The tensor types of the REST API, by TensorFlow's C++ names."""

import ml_dtypes
import numpy as np

NUMPY_TYPES = {
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "half": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint8": np.dtype(np.uint8),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "string": np.dtype(np.object_),
}
NAMES = {numpy_type: name for name, numpy_type in NUMPY_TYPES.items()}
FLOATS = ("float", "double", "half", "bfloat16")
# The smallest and the largest integer that JSON may have for a type. As in TensorFlow Serving,
# types of 8 and 16 bits, except uint16, are read as int32 and then wrap around.
INTEGER_RANGES = {
    "int8": (-(2**31), 2**31 - 1),
    "int16": (-(2**31), 2**31 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (-(2**31), 2**31 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
# The sets of Python types that the JSON values of a tensor may have together.
PYTHON_TYPES = {
    **dict.fromkeys(FLOATS, ({float}, {int}, {int, float})),
    **dict.fromkeys(INTEGER_RANGES, ({int},)),
    "bool": ({bool},),
    "string": ({str}, {dict}, {str, dict}),
}
MAX_RANK = 64  # NumPy's
