"""Responds to requests for the status or the metadata of a model."""

import json

from google.protobuf import json_format

from kerashw.serve.api.status_codes import RequestError


def describe_model(route, registry):
    """Return the body of the response to a status or metadata request.

    Args:
        route: `kerashw.serve.api.routes.Route`.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.

    Returns:
        Bytes, JSON.

    Raises:
        RequestError: If the request has no model name, or there is no such model.
    """
    if route.model is None:
        raise RequestError("Missing model name in request.")
    if route.action == "status":
        description = {"model_version_status": registry.status(route.model, route.version)}
    else:
        model, version = registry.find(route.model, route.version, route.label)
        description = _metadata(route.model, version, model.signature_defs)
    return json.dumps(description, indent=1).encode()


def _metadata(name, version, signature_defs):
    spec = {"name": name, "version": str(version), "signature_name": ""}
    definitions = describe_signatures(signature_defs)
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": definitions}}}


def describe_signatures(signature_defs):
    """Return the signatures of a model as JSON objects.

    Args:
        signature_defs: Mapping of names to `SignatureDef`s.
    """
    return {
        name: json_format.MessageToDict(
            signature_def,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for name, signature_def in signature_defs.items()
    }
