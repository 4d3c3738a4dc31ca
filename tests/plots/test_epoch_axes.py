"""The limits of the axes contain all values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerashw.plots.epoch_axes import axis_limits


@given(st.lists(st.floats(0, 1e6) | st.just(np.nan)))
def test_limits_contain_all_finite_values(values):
    low, high = axis_limits(values, least=0.5)
    assert 0 <= low < high
    assert all(low <= value <= high for value in values if np.isfinite(value))
