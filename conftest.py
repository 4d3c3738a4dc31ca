"""What pytest leaves out where an extra is not installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["kerashw/benchmark/peers/pytorch.py"]
