"""`python -m kerashw.serve`: a server that speaks TensorFlow Serving's REST API."""
