"""How large a data set in memory may be. Larger ones are read from the disk while they are used."""

import os
import re
from pathlib import Path

from kerashw.errors import InputError

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# The images are in memory twice while a model is trained: as an array and as a tensor.
DEFAULT_SHARE = 1 / 4
UNKNOWN_SIZE = 2**33  # on Windows
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def parse_bytes(text):
    """Return a number of bytes that is written with a unit.

    Args:
        text: String, a positive number and K, M, G, T or nothing, as "2G" or "500M".

    Returns:
        Integer.

    Raises:
        InputError: If it is none.

    Example:
        >>> parse_bytes("1.5G")
        1610612736
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", text.strip().upper())
    if not found or not float(found[1]):
        raise InputError(
            "--memory must be a number of bytes, such as 2G or 500M. Choose a positive one. "
            f"Received: {text!r}"
        )
    return int(float(found[1]) * UNITS[found[2]])


def default_memory():
    """Return the default bound: a quarter of this machine's memory, or of its container's."""
    sizes = [UNKNOWN_SIZE]
    if hasattr(os, "sysconf"):
        sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in map(Path, CGROUP_LIMITS):
        limit = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if limit.isdecimal():
            sizes.append(int(limit))
    return int(DEFAULT_SHARE * min(sizes))
