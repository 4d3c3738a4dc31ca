"""One predict, classify or regress request: body → tensors → outputs → response body."""

import time

from kerashw.serve.api.classify_and_regress_request import check_signature, read_examples
from kerashw.serve.api.classify_and_regress_response import classify_response, regress_response
from kerashw.serve.api.predict_request import predict_inputs, read_predict_request
from kerashw.serve.api.predict_response import predict_response
from kerashw.serve.api.request_body import DEFAULT_SIGNATURE, read_request
from kerashw.serve.api.status_codes import RequestError

# Calls of a model that take longer run on another thread than the event loop's.
INLINE_SECONDS = 0.0007


class InferenceRequest:
    """A predict, classify or regress request.

    Its steps are `read`, `run` and `response`. Each may run on another thread. All of them raise a
    `RequestError` if the request fails.

    Args:
        route: `kerashw.serve.api.routes.Route`.
        body: Bytes.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        metrics: `kerashw.serve.prometheus_metrics.Metrics` or None.
        check_method_name: Boolean, whether the `method_name` of a signature must fit a classify or
            regress request.

    Attributes:
        signature: `kerashw.serve.servables.signature.Signature`, set by `read`.
        tensors: Dictionary of arrays, the signature's inputs by name, set by `read`.
        outputs: Dictionary of arrays, the signature's outputs by name, set by `run`.
    """

    def __init__(self, route, body, registry, metrics=None, check_method_name=False):
        self.route = route
        self.body = body
        self.registry = registry
        self.metrics = metrics
        self.check_method_name = check_method_name
        self.signature = self.tensors = self.outputs = None
        self.row_format = False

    def process(self):
        """Run all steps and return the body of the response."""
        self.read()
        self.run()
        return self.response()

    def read(self):
        """Read the tensors from the body, and find the signature."""
        if self.route.action == "predict":
            self._read_predict_request()
        else:
            self._read_examples()
        self.body = None  # frees the memory

    def _read_predict_request(self):
        request = read_predict_request(self.body)
        name = self._find_signature(request)
        if self.signature is None:
            raise RequestError(f'Serving signature name: "{name}" not found in signature def')
        self.tensors, self.row_format = predict_inputs(request, self.signature.types)

    def _read_examples(self):
        request = read_request(self.body)
        self.tensors = {"inputs": read_examples(request)}
        name = self._find_signature(request)
        if self.signature is None:
            raise RequestError(f"No signature was found with the name: {name}")
        check_signature(self.route.action, self.signature.signature_def, self.check_method_name)

    def _find_signature(self, request):
        model, _ = self.registry.find(self.route.model, self.route.version, self.route.label)
        name = request.get("signature_name") or DEFAULT_SIGNATURE
        self.signature = model.signatures.get(name)
        return name

    def is_fast(self):
        """Return whether calls with inputs of this size are fast enough for the event loop."""
        return self._input_size() <= self.signature.inline_size

    def run(self):
        """Call the model."""
        start = time.perf_counter()
        self.outputs = self.signature.run(self.tensors)
        seconds = time.perf_counter() - start
        self._update_inline_size(seconds)
        if self.metrics:
            first = next(iter(self.tensors.values()))
            examples = first.shape[0] if first.ndim else 1
            api = self.route.action.capitalize()
            self.metrics.record_run(self.route.model, api, seconds, examples)

    def response(self):
        """Return the body of the response, bytes."""
        if self.route.action == "predict":
            return predict_response(self.outputs, self.row_format)
        respond = classify_response if self.route.action == "classify" else regress_response
        return respond(self.outputs, len(self.tensors["inputs"]))

    def _input_size(self):
        return sum(array.size for array in self.tensors.values())

    def _update_inline_size(self, seconds):
        size = self._input_size()
        if seconds > INLINE_SECONDS:
            self.signature.inline_size = min(self.signature.inline_size, size // 2)
        elif size > self.signature.inline_size:
            self.signature.inline_size = size
