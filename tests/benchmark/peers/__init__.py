"""The options of the worker processes that train."""

OPTIONS = {"model": "softmax", "batch_size": 128, "seed": 0, "data_dir": None, "rounds": 1}
