"""The service `tensorflow.serving.PredictionService`: its methods, message → message."""

from types import MappingProxyType

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.grpc_server.examples_request import ExamplesRequest
from kerashw.serve.grpc_server.model_specs import model_key, model_spec
from kerashw.serve.grpc_server.multi_inference import read_tasks
from kerashw.serve.grpc_server.predict_request import PredictRequest

SPEED = 16  # tensors are read and written at least that many times as fast as JSON of their size


class PredictionService:
    """The methods of the service. `kerashw.serve.grpc_server.calls` calls them.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        runner: `kerashw.serve.api.request_runner.RequestRunner`.
        max_tensor_bytes: Integer, the largest size of an input.
        check_method_name: Boolean, whether the `method_name` of a signature must fit a classify or
            regress request.
    """

    NAME = "tensorflow.serving.PredictionService"
    MESSAGES = MappingProxyType(
        {
            "Predict": predict_pb2.PredictRequest,
            "Classify": classification_pb2.ClassificationRequest,
            "Regress": regression_pb2.RegressionRequest,
            "MultiInference": inference_pb2.MultiInferenceRequest,
            "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
        }
    )

    def __init__(self, registry, runner, max_tensor_bytes, check_method_name=False):
        self.registry = registry
        self.runner = runner
        self.max_tensor_bytes = max_tensor_bytes
        self.check_method_name = check_method_name

    async def Predict(self, message, size):
        """Call a signature with tensors."""
        request = PredictRequest(message, self.registry, self.max_tensor_bytes)
        return await self.runner.respond(request, size // SPEED)

    async def Classify(self, message, size):
        """Call a signature with examples, and return classes."""
        result = await self._run("classify", message, size)
        return classification_pb2.ClassificationResponse(
            model_spec=result.model_spec, result=result.classification_result
        )

    async def Regress(self, message, size):
        """Call a signature with examples, and return values."""
        result = await self._run("regress", message, size)
        return regression_pb2.RegressionResponse(
            model_spec=result.model_spec, result=result.regression_result
        )

    async def MultiInference(self, message, size):
        """Call several signatures of one model with the same examples."""
        tasks = read_tasks(message, self.registry, self.check_method_name)
        results = [await self.runner.respond(task, size) for task in tasks]
        return inference_pb2.MultiInferenceResponse(results=results)

    async def GetModelMetadata(self, message, size):
        """Return the signatures of a model."""
        spec = model_spec(message)
        if not message.metadata_field:
            raise RequestError("GetModelMetadataRequest must specify at least one metadata_field")
        for field in message.metadata_field:
            if field != "signature_def":
                raise RequestError(f"Metadata field {field} is not supported")
        model, version = self.registry.find(*model_key(spec))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name, response.model_spec.version.value = spec.name, version
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature_def in model.signature_defs.items():
            signatures.signature_def[name].CopyFrom(signature_def)
        response.metadata["signature_def"].Pack(signatures)
        return response

    async def _run(self, action, message, size):
        request = ExamplesRequest(action, message, self.registry, self.check_method_name)
        return await self.runner.respond(request, size)
