"""The predict request of the gRPC API: message → tensors → message."""

from tensorflow_serving.apis import predict_pb2

from kerashw.serve.api.inference_request import InferenceRequest
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.grpc_server.model_specs import fill_model_spec, model_key, model_spec
from kerashw.serve.grpc_server.tensor_protos import read_tensor, type_name, write_tensor


class PredictRequest(InferenceRequest):
    """A predict request.

    Args:
        message: `tensorflow_serving.apis.predict_pb2.PredictRequest`.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        max_tensor_bytes: Integer, the largest size of an input.
    """

    def __init__(self, message, registry, max_tensor_bytes):
        super().__init__("predict", registry)
        self.message = message
        self.max_tensor_bytes = max_tensor_bytes

    def read(self):
        """Read the tensors from the message, and find the signature."""
        spec = model_spec(self.message)
        self.find_signature(*model_key(spec), spec.signature_name)
        signature_def = self.signature.signature_def
        _check_input_names(self.message.inputs, signature_def)
        self.tensors = {
            name: self._read_input(number, name) for number, name in enumerate(self.signature.types)
        }
        _check_output_filter(self.message.output_filter, signature_def)
        self.message.ClearField("inputs")  # frees the memory

    def signature_not_found(self, name):
        """Return the error for a signature that the model does not have."""
        return RequestError(f'Serving signature key "{name}" not found.', "FAILED_PRECONDITION")

    def response(self):
        """Return the `PredictResponse`."""
        response = predict_pb2.PredictResponse()
        fill_model_spec(response.model_spec, self)
        for name in self.message.output_filter or self.outputs:
            write_tensor(self.outputs[name], response.outputs[name])
        return response

    def _read_input(self, number, name):
        sent, signature_def = self.message.inputs, self.signature.signature_def
        proto = sent[name] if name in sent else signature_def.defaults[name]
        expected, received = self.signature.types[name], type_name(proto.dtype)
        if received != expected:
            raise RequestError(
                f"Expects arg[{number}] to be {expected} but {received} is provided: input {name}"
            )
        try:
            return read_tensor(proto, self.max_tensor_bytes)
        except ValueError as error:
            raise RequestError(f"tensor parsing error: {name}: {error}") from None


def _check_input_names(sent, signature_def):
    expected, defaults = signature_def.inputs, signature_def.defaults
    extra, missing = set(sent) - set(expected), set(expected) - set(sent)
    if len(sent) > len(expected) or (len(sent) < len(expected) and not defaults):
        raise RequestError(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({{{_join(sent)}}}) != len({{{_join(expected)}}}). "
            f"Sent extra: {{{_join(extra)}}}. Missing but required: {{{_join(missing)}}}."
        )
    for name in sorted(missing - set(defaults)):
        raise RequestError(
            f"Signature input alias: {name}(feed name: {expected[name].name}) not found in request "
            f"and no default value provided. Inputs expected to be in the request {{{_join(sent)}}}"
            f", or default input alias set: {_join(defaults)}"
        )
    if extra:
        raise RequestError(
            f"Inputs contains invalid name. Used request inputs: {_join(set(sent) - extra)}, "
            f"request input: {_join(sent)}"
        )


def _check_output_filter(names, signature_def):
    for position, name in enumerate(names):
        if name not in signature_def.outputs:
            raise RequestError(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the "
                f"set {{{_join(signature_def.outputs)}}}."
            )
        if name in names[:position]:
            raise RequestError(f"duplicate output tensor alias: {name}")


def _join(names):
    return ",".join(sorted(names))
