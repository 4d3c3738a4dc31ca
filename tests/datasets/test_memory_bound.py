"""Sizes are read with their units, and the default is a share of the memory."""

import pytest

from kerashw.datasets.memory_bound import default_memory, parse_bytes
from kerashw.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"), [("2G", 2**31), ("500M", 500 * 2**20), ("1.5 KiB", 1536), ("7", 7)]
)
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "2X", "1e3"])
def test_other_words_are_refused(text):
    with pytest.raises(InputError, match=r"--memory must be .* such as 2G"):
        parse_bytes(text)


def test_the_default_is_a_part_of_the_memory():
    assert 2**26 < default_memory() < 2**44
