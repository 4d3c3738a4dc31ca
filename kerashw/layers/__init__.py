"""Keras layers on `keras.ops` alone: they work on the TensorFlow, JAX and torch backends."""

from kerashw.layers.diagonal_count import DiagonalCount
from kerashw.layers.factored_dense import FactoredDense

__all__ = ["DiagonalCount", "FactoredDense"]
