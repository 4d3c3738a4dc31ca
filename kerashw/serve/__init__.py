"""TensorFlow Serving's REST API, with pip alone: `python -m kerashw.serve`."""
