"""The fast reader of tensors agrees with the builder that finds errors."""

from hypothesis import given
from hypothesis import strategies as st

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.json_text.dtypes import NUMPY_TYPES
from kerashw.serve.json_text.tensor_builder import TensorBuilder
from kerashw.serve.json_text.tensor_reader import try_read_tensor
from tests.serve.json_text.strategies import JSON, assert_same


@given(JSON, st.sampled_from([*sorted(NUMPY_TYPES), "complex64"]))
def test_reader_and_builder_return_the_same_tensor(value, dtype):
    tensor = try_read_tensor(value, dtype)
    builder = TensorBuilder(dtype)
    try:
        builder.add(value)
        built = builder.build()
    except (RequestError, KeyError):
        built = None
    if tensor is not None and not (isinstance(value, list) and not tensor.size):
        assert built is not None
        assert_same(tensor, built)
