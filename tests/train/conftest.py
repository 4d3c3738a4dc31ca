import functools

import pytest

from kerashw.train.__main__ import main


@pytest.fixture
def train_here(run_here):
    """Runs the command in this process, where TensorFlow is started already."""
    return functools.partial(run_here, main)
