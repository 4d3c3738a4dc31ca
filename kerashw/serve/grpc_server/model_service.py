"""The service `tensorflow.serving.ModelService`: its methods, message → message."""

import asyncio
from types import MappingProxyType

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from kerashw.errors import ServeError
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.grpc_server.model_specs import model_spec, version_of
from kerashw.serve.servables.config_file_reader import read_model_config_list


class ModelService:
    """The methods of the service. `kerashw.serve.grpc_server.calls` calls them.

    Args:
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        can_reload: Boolean, whether the list of models may be changed.
    """

    NAME = "tensorflow.serving.ModelService"
    MESSAGES = MappingProxyType(
        {
            "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
            "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
        }
    )

    def __init__(self, registry, can_reload=True):
        self.registry = registry
        self.can_reload = can_reload

    async def GetModelStatus(self, message, size):
        """Return the states of a model's versions. As in TensorFlow Serving, labels are ignored."""
        spec = model_spec(message)
        status = {"model_version_status": self.registry.status(spec.name, version_of(spec))}
        return json_format.ParseDict(status, get_model_status_pb2.GetModelStatusResponse())

    async def HandleReloadConfigRequest(self, message, size):
        """Replace the list of models, and load and unload versions, before it answers."""
        if not self.can_reload:
            raise RequestError(
                "The request would reach only one of several workers. Use --workers=1, or change "
                "the --model_config_file and set --model_config_file_poll_wait_seconds",
                "FAILED_PRECONDITION",
            )
        if message.config.WhichOneof("config") != "model_config_list":
            raise RequestError(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                "ModelConfigList is currently supported"
            )
        try:
            configs = read_model_config_list(message.config.model_config_list)
            await asyncio.to_thread(self.registry.reload, configs)
        except ServeError as error:
            raise RequestError(str(error)) from None
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response
