"""TensorFlow Serving's REST API without I/O.

A predict, classify or regress request passes through these modules:

- `routes`: method and path → model and action.
- `predict_request`, `classify_and_regress_request`: body → tensors.
- `inference_request`: tensors → outputs, by a call of the model.
- `predict_response`, `classify_and_regress_response`: outputs → body.

`metadata` responds to requests about a model, and `status_codes` to requests that fail.
"""
