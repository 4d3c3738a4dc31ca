"""`fit`, `evaluate` and `predict`: the training loop of Keras in a few calls of one graph."""

from kerashw.fitting.dropout_seeds import ReseedDropout
from kerashw.fitting.fit_evaluate_predict import evaluate, fit, predict

__all__ = ["ReseedDropout", "evaluate", "fit", "predict"]
