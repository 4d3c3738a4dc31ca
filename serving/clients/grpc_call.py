"""Call a method of a gRPC server with JSON, and print the response as JSON.

python grpc_call.py HOST:PORT SERVICE/METHOD JSON

An example is tensorflow.serving.ModelService/GetModelStatus '{"model_spec": {"name": "convnet"}}'.
The server describes its messages (gRPC server reflection), so that grpcio-reflection is the only
package that this needs. Bytes are base64 in JSON.
"""

import json
import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


def call(channel, path, request):
    """Return the response of a method that receives and returns one message.

    Args:
        channel: `grpc.Channel`, a connection to the server.
        path: String, the service and the method: `tensorflow.serving.PredictionService/Predict`.
        request: Dictionary, the message.

    Returns:
        Dictionary, the message of the response.

    Raises:
        grpc.RpcError: If the request fails. The error text of the server is `error.details()`.
        KeyError: If the server has no such service or method.
        google.protobuf.json_format.ParseError: If the request has other fields than its message.
    """
    service, _, name = path.rpartition("/")
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName(service).FindMethodByName(name)
    message = GetMessageClass(method.input_type)()
    json_format.ParseDict(request, message, descriptor_pool=pool)
    send = channel.unary_unary(
        f"/{service}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    response = send(message, timeout=30)
    return json_format.MessageToDict(
        response, preserving_proto_field_name=True, descriptor_pool=pool
    )


def main(address, path, request):
    """Print the response of a method; return an error text or 0."""
    try:
        with grpc.insecure_channel(address) as channel:
            response = call(channel, path, json.loads(request))
    except grpc.RpcError as error:
        return error.details()
    except (KeyError, ValueError, json_format.ParseError) as error:
        return f"{path} cannot be called with {request}: {error}"
    print(json.dumps(response, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 4 else __doc__)
