"""One predict, classify or regress request of either API: message → tensors → outputs → message."""

from kerashw.serve.api.status_codes import RequestError

DEFAULT_SIGNATURE = "serving_default"


class InferenceRequest:
    """A predict, classify or regress request.

    Its steps are `read`, a call of `signature` with `tensors`, and `response`. Each may run on
    another thread. All of them raise a `RequestError` if the request fails. There is a subclass for
    each API, which implements `read` and `response`.

    Args:
        action: String: predict, classify or regress.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.

    Attributes:
        action: As above.
        model: String, the name of the model, set by `find_signature`.
        version: Integer, the version of the model, set by `find_signature`.
        signature_name: String, set by `find_signature`.
        signature: `kerashw.serve.servables.signature.Signature`, set by `find_signature`.
        tensors: Dictionary of arrays, the signature's inputs by name, set by `read`.
        outputs: Dictionary of arrays, the signature's outputs by name, set by the caller.
    """

    def __init__(self, action, registry):
        self.action = action
        self.registry = registry
        self.model = self.version = self.signature_name = self.signature = None
        self.tensors = self.outputs = None

    def find_signature(self, model, version, label, name):
        """Find the signature, and set `model`, `version`, `signature_name` and `signature`.

        Args:
            model: String, the name of the model.
            version: Integer or None.
            label: String or None.
            name: String, the signature's name; empty or None for the default.

        Raises:
            RequestError: If there is no such model, version or signature.
        """
        self.model = model
        loaded, self.version = self.registry.find(model, version, label)
        self.signature_name = name or DEFAULT_SIGNATURE
        self.signature = loaded.signatures.get(self.signature_name)
        if self.signature is None:
            raise self.signature_not_found(self.signature_name)

    def signature_not_found(self, name):
        """Return the error for a signature that the model does not have."""
        return RequestError(f"No signature was found with the name: {name}")

    def read(self):
        """Read the tensors from the message, and find the signature."""
        raise NotImplementedError

    def response(self):
        """Return the response with the outputs."""
        raise NotImplementedError
