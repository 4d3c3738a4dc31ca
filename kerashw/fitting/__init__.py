"""`fit`, `evaluate` and `predict`: Keras' training loop as a few calls of one TensorFlow graph."""

from kerashw.fitting.dropout_seeds import ReseedDropout
from kerashw.fitting.fit_evaluate_predict import evaluate, fit, predict

__all__ = ["ReseedDropout", "evaluate", "fit", "predict"]
