"""`python -m kerashw.serve`: a server of TensorFlow Serving's REST and gRPC APIs."""
