"""Labels do not overlap, and do not move without need."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerashw.plots.label_placement import spread


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(1, 10)), min_size=1, max_size=8),
)
def test_labels_neither_overlap_nor_exceed_the_available_space(labels):
    wanted, heights = np.transpose(labels)
    middles = spread(wanted, heights, low=0, high=100)
    order = np.argsort(middles)
    gaps = np.diff(middles[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert (gaps > -1e-9).all()
    assert (middles - heights / 2 > -1e-9).all() and (middles + heights / 2 < 100 + 1e-9).all()


@given(st.lists(st.floats(10, 90), min_size=1, max_size=5, unique_by=lambda x: round(x / 5)))
def test_labels_that_do_not_overlap_stay_in_place(wanted):
    wanted = [5 * round(x / 5) for x in wanted]
    np.testing.assert_allclose(spread(wanted, [5] * len(wanted), 0, 100), wanted)
