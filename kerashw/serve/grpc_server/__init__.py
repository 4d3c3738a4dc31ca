"""TensorFlow Serving's gRPC API, and gRPC's services for health and reflection.

- `grpc_server` starts and stops the server.
- `calls` runs the methods of the services: message → message, or a status code.
- `prediction_service` and `model_service` are TensorFlow Serving's services.
- `predict_request`, `examples_request` and `multi_inference` have the requests to run a model.
- `model_specs` finds the model that a message names. `tensor_protos` reads and writes tensors.
- `health` is gRPC's health service.
"""
