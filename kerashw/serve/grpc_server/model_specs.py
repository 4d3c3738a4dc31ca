"""The `ModelSpec` of messages: which model, version and signature a request is for."""

from kerashw.serve.api.status_codes import RequestError


def model_spec(message):
    """Return the `ModelSpec` of a request.

    Args:
        message: Message with the field `model_spec`.

    Raises:
        RequestError: If it has none.
    """
    if not message.HasField("model_spec"):
        raise RequestError("Missing ModelSpec")
    return message.model_spec


def model_key(spec):
    """Return the arguments of `ModelRegistry.find`: the name, and the version or the label or None.

    Args:
        spec: `ModelSpec`.

    Raises:
        RequestError: If it has no name.
    """
    if not spec.name:
        raise RequestError("ModelSpec has no name specified.")
    label = spec.version_label if spec.HasField("version_label") else None
    return spec.name, version_of(spec), label


def version_of(spec):
    """Return the version of a `ModelSpec`, or None."""
    return spec.version.value if spec.HasField("version") else None


def fill_model_spec(spec, request):
    """Fill the `ModelSpec` of the response to a request.

    Args:
        spec: `ModelSpec`.
        request: `kerashw.serve.api.inference_request.InferenceRequest` that found its signature.
    """
    spec.name, spec.signature_name = request.model, request.signature_name
    spec.version.value = request.version
