"""Excludes modules that need an extra from pytest's collection if the extra is not installed."""

import importlib.util

collect_ignore_glob = (
    [] if importlib.util.find_spec("torch") else ["kerashw/benchmark/peers/pytorch*.py"]
)
