"""A predict, classify or regress request on its way: read, run, answered."""

import time

from kerashw.serve.api import classify_and_regress, predict
from kerashw.serve.api.status_codes import RequestError

# Calls of models that take longer are made on another thread than the event loop's.
INLINE_SECONDS = 0.0007


class Work:
    """A predict, classify or regress request on its way."""

    def __init__(self, asked, body, app):
        self.asked, self.body, self.app = asked, body, app
        self.outputs = None

    def all(self):
        """Do all of it."""
        self.prepare()
        self.run()
        return self.answer()

    def prepare(self):
        """Read the request, and find the model for it."""
        asked = self.asked
        if asked.action == "predict":
            request = predict.read_predict_request(self.body)
        else:
            request = predict.read_request(self.body)
            self.tensors = {"inputs": classify_and_regress.read_examples(request)}
        model, _ = self.app.repository.find(asked.model, asked.version, asked.label)
        self.body = None
        name = request.get("signature_name") or predict.DEFAULT_SIGNATURE
        self.signature = model.signatures.get(name)
        if asked.action == "predict":
            if self.signature is None:
                raise RequestError(f'Serving signature name: "{name}" not found in signature def')
            self.tensors, self.rows = predict.predict_inputs(request, self.signature.types)
        else:
            if self.signature is None:
                raise RequestError(f"No signature was found with the name: {name}")
            classify_and_regress.check_signature(
                asked.action, self.signature.definition, self.app.options.check_method_name
            )

    def is_quick(self):
        """Return whether the model was quick with inputs of this size."""
        size = sum(array.size for array in self.tensors.values())
        return size <= self.signature.quick_size

    def run(self):
        """Run the model."""
        start = time.perf_counter()
        self.outputs = self.signature.run(self.tensors)
        seconds = time.perf_counter() - start
        _note_pace(self.signature, sum(array.size for array in self.tensors.values()), seconds)
        if self.app.metrics:
            first = next(iter(self.tensors.values()))
            rows = first.shape[0] if first.ndim else 1
            api = self.asked.action.capitalize()
            self.app.metrics.run(self.asked.model, api, seconds, rows)

    def answer(self):
        """Write the answer."""
        if self.asked.action == "predict":
            return predict.predict_answer(self.outputs, self.rows)
        asked = len(self.tensors["inputs"])
        if self.asked.action == "classify":
            return predict.classify_answer(classify_and_regress.classes_of(self.outputs, asked))
        return predict.regress_answer(classify_and_regress.values_of(self.outputs, asked))


def _note_pace(signature, size, seconds):
    """Remember up to which size of its inputs a signature is quick."""
    if seconds > INLINE_SECONDS:
        signature.quick_size = min(signature.quick_size, size // 2)
    elif size > signature.quick_size:
        signature.quick_size = size
