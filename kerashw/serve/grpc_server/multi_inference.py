"""The multi-inference request: several classify and regress requests with the same examples."""

from tensorflow_serving.apis import inference_pb2

from kerashw.serve.api.classify_and_regress_checks import METHOD_NAMES, check_signature
from kerashw.serve.api.inference_request import DEFAULT_SIGNATURE
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.grpc_server.examples_request import ExamplesRequest, read_examples
from kerashw.serve.grpc_server.model_specs import model_key

_ACTIONS = {method_name: action for action, method_name in METHOD_NAMES.items()}


class Task(ExamplesRequest):
    """One of the requests in a `MultiInferenceRequest`. `read_tasks` reads it."""

    def read(self):
        """Do nothing."""

    def signature_not_found(self, name):
        """Return the error for a signature that the model does not have."""
        return RequestError(f"Requested signature not found in model graph: {name}")


def read_tasks(message, registry, check_method_name):
    """Read a multi-inference request.

    Args:
        message: `tensorflow_serving.apis.inference_pb2.MultiInferenceRequest`.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        check_method_name: Boolean, whether the `method_name` of each signature must fit its task.

    Returns:
        List of `Task`.

    Raises:
        RequestError: If the tasks do not fit the model or each other, or there are no examples.
    """
    # As in TensorFlow Serving, the version is that of the first task.
    first = message.tasks[0] if message.tasks else inference_pb2.InferenceTask()
    name, version, label = model_key(first.model_spec)
    _, version = registry.find(name, version, label)
    tasks = {}
    for proto in message.tasks:
        _check_model_name(proto.model_spec.name, name)
        signature_name = proto.model_spec.signature_name or DEFAULT_SIGNATURE
        if signature_name in tasks:
            raise RequestError(f"Duplicate evaluation of signature: {signature_name}")
        action = _ACTIONS.get(proto.method_name)
        task = Task(action, None, registry, check_method_name)
        task.find_signature(name, version, None, signature_name)
        if action is None:
            raise RequestError(
                f"Unsupported signature method_name: {proto.method_name}", "UNIMPLEMENTED"
            )
        check_signature(action, task.signature.signature_def, check_method_name)
        tasks[signature_name] = task
    inputs = {task.signature.signature_def.inputs["inputs"].name for task in tasks.values()}
    if len(inputs) > 1:
        raise RequestError("Input tensor must be the same for all Signatures.")
    tensors = {"inputs": read_examples(message.input)}
    for task in tasks.values():
        task.tensors = tensors
    return list(tasks.values())


def _check_model_name(name, first):
    if not name:
        raise RequestError("Found ModelSpec with an empty model name.")
    if name != first:
        raise RequestError(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
