"""TensorFlow Serving's REST API without I/O: routes, requests, answers, errors."""
