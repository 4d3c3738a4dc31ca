"""The classify and regress requests of the gRPC API: message → examples → message."""

import numpy as np
from tensorflow_serving.apis import inference_pb2

from kerashw.serve.api.classify_and_regress_checks import (
    check_classes,
    check_signature,
    check_values,
)
from kerashw.serve.api.inference_request import InferenceRequest
from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.grpc_server.model_specs import fill_model_spec, model_key, model_spec


class ExamplesRequest(InferenceRequest):
    """A classify or regress request.

    Args:
        action: String, `classify` or `regress`.
        message: `ClassificationRequest` or `RegressionRequest`.
        registry: `kerashw.serve.servables.model_registry.ModelRegistry`.
        check_method_name: Boolean, whether the `method_name` of the signature must fit the action.
    """

    def __init__(self, action, message, registry, check_method_name):
        super().__init__(action, registry)
        self.message = message
        self.check_method_name = check_method_name

    def read(self):
        """Read the examples from the message, and find the signature."""
        spec = model_spec(self.message)
        self.find_signature(*model_key(spec), spec.signature_name)
        check_signature(self.action, self.signature.signature_def, self.check_method_name)
        self.tensors = {"inputs": read_examples(self.message.input)}
        self.message = None  # frees the memory

    def response(self):
        """Return an `InferenceResult`, which can have the result of either action."""
        result = inference_pb2.InferenceResult()
        fill_model_spec(result.model_spec, self)
        examples = len(self.tensors["inputs"])
        if self.action == "classify":
            labels, scores = check_classes(self.outputs, examples)
            _add_classifications(result.classification_result, labels, scores)
        else:
            for value in check_values(self.outputs, examples).tolist():
                result.regression_result.regressions.add(value=value)
        return result


def read_examples(proto):
    """Return the examples of a request.

    Args:
        proto: `tensorflow_serving.apis.input_pb2.Input`.

    Returns:
        Array of bytes of shape (N,), serialized `tf.Example`s. Each has the features of the
        request's `context` too.

    Raises:
        RequestError: If there are no examples.
    """
    kind = proto.WhichOneof("kind")
    examples = getattr(proto, kind).examples if kind else ()
    if not examples:
        raise RequestError("Input is empty.")
    context = b""
    if kind == "example_list_with_context":
        context = proto.example_list_with_context.context.SerializeToString()
    array = np.empty(len(examples), np.object_)
    # Two concatenated messages are parsed as one message that has the features of both.
    array[:] = [context + example.SerializeToString() for example in examples]
    return array


def _add_classifications(result, labels, scores):
    rows, columns = (labels if scores is None else scores).shape
    labels = [[b""] * columns] * rows if labels is None else labels.tolist()
    scores = [[0.0] * columns] * rows if scores is None else scores.tolist()
    for row in zip(labels, scores, strict=True):
        classes = result.classifications.add().classes
        for label, score in zip(*row, strict=True):
            classes.add(label=label.decode("utf-8", "replace"), score=score)
