"""Values of `TF_CONFIG` for the tests."""

import json

WORKERS = {"worker": ["a:1", "b:2"]}


def config(cluster=WORKERS, **task):
    """Return the text of `TF_CONFIG` for one task of a cluster."""
    return json.dumps({"cluster": cluster, "task": task})
