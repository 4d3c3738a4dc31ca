"""A predict, classify or regress request of the REST API."""

from kerashw.serve.api.classify_and_regress_checks import check_signature
from kerashw.serve.api.classify_and_regress_request import read_examples
from kerashw.serve.api.classify_and_regress_response import classify_response, regress_response
from kerashw.serve.api.inference_request import InferenceRequest
from kerashw.serve.api.predict_request import predict_inputs, read_predict_request
from kerashw.serve.api.predict_response import predict_response
from kerashw.serve.api.request_body import read_request
from kerashw.serve.api.status_codes import RequestError


class RestRequest(InferenceRequest):
    """A predict, classify or regress request of the REST API.

    Args:
        route: `kerashw.serve.api.routes.Route`.
        body: Bytes.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        check_method_name: Boolean, whether the `method_name` of a signature must fit a classify or
            regress request.
    """

    def __init__(self, route, body, registry, check_method_name=False):
        super().__init__(route.action, registry)
        self.route = route
        self.body = body
        self.check_method_name = check_method_name
        self.row_format = False

    def read(self):
        """Read the tensors from the body, and find the signature."""
        if self.action == "predict":
            request = read_predict_request(self.body)
            self._find_signature(request)
            self.tensors, self.row_format = predict_inputs(request, self.signature.types)
        else:
            request = read_request(self.body)
            self.tensors = {"inputs": read_examples(request)}
            self._find_signature(request)
            check_signature(self.action, self.signature.signature_def, self.check_method_name)
        self.body = None  # frees the memory

    def signature_not_found(self, name):
        """Return the error for a signature that the model does not have."""
        if self.action == "predict":
            return RequestError(f'Serving signature name: "{name}" not found in signature def')
        return super().signature_not_found(name)

    def response(self):
        """Return the body of the response, bytes."""
        if self.action == "predict":
            return predict_response(self.outputs, self.row_format)
        respond = classify_response if self.action == "classify" else regress_response
        return respond(self.outputs, len(self.tensors["inputs"]))

    def _find_signature(self, request):
        route, name = self.route, request.get("signature_name")
        self.find_signature(route.model, route.version, route.label, name)
