"""`fit`, `evaluate` and `predict`: the training loop of Keras in a few calls of one graph."""

from kerashw.fitting.acceleration import accelerate
from kerashw.fitting.dropout_seeds import ReseedDropout
from kerashw.fitting.fit_evaluate_predict import evaluate, explain, fit, predict

__all__ = ["ReseedDropout", "accelerate", "evaluate", "explain", "fit", "predict"]
