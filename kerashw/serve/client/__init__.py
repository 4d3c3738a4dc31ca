"""A client for TensorFlow Serving's REST and gRPC APIs, which `kerashw.serve` has too."""

from kerashw.serve.client.client import Client

__all__ = ["Client"]
