"""The requests of TensorFlow Serving's APIs without I/O.

A predict, classify or regress request is an `inference_request`, whichever API it came by.
`request_runner` runs its steps. One of the REST API (`rest_request`) passes through these modules:

- `routes`: method and path → model and action.
- `predict_request`, `classify_and_regress_request`: body → tensors.
- `predict_response`, `classify_and_regress_response`: outputs → body.

`classify_and_regress_checks` checks the signature and the outputs for both APIs.

`metadata` responds to requests about a model, and `status_codes` to requests that fail.
`kerashw.serve.grpc_server` has the messages of the gRPC API.
"""
