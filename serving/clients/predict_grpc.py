"""Send an image to a model on a server with gRPC, and print the prediction.

python predict_grpc.py HOST:PORT MODEL FILE

FILE is a PNG, JPEG, GIF or BMP image, or JSON with 28 rows of 28 pixels of 0 to 255.
The package tensorflow-serving-api has the messages, and installs grpcio and TensorFlow.
"""

import json
import sys
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def predict(channel, model, signature, inputs):
    """Return the outputs of a model by name.

    Args:
        channel: `grpc.Channel`, a connection to the server.
        model: String, the name of the model; `convnet/labels/stable` for a version by its label.
        signature: String, the name of the signature.
        inputs: Dictionary from the names of the inputs to arrays. Their types must be those of the
            signature: gRPC does not convert numbers as JSON does.

    Returns:
        Dictionary from the names of the outputs to arrays. The first dimension is the number of
        examples.

    Raises:
        grpc.RpcError: If the request fails. The error text of the server is `error.details()`.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name, _, label = model.partition("/labels/")
    request.model_spec.signature_name = signature
    if label:
        request.model_spec.version_label = label
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    response = service.Predict(request, timeout=30)
    return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}


def main(address, model, file):
    """Print the prediction of a model for the image in a file; return an error text or 0."""
    data = Path(file).read_bytes()
    if file.endswith(".json"):
        signature, inputs = "pixels", {"image": tf.constant([json.loads(data)], tf.uint8).numpy()}
    else:
        signature, inputs = "image_bytes", {"image_bytes": [data]}
    try:
        with grpc.insecure_channel(address) as channel:
            outputs = predict(channel, model, signature, inputs)
    except grpc.RpcError as error:
        return error.details()
    print(json.dumps({"outputs": {name: array.tolist() for name, array in outputs.items()}}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
