"""Keras layers for the TensorFlow, JAX and torch backends."""

from kerashw.layers.conv2d import Conv2D
from kerashw.layers.dense import Dense
from kerashw.layers.diagonal_count import DiagonalCount
from kerashw.layers.dropout import Dropout
from kerashw.layers.factored_dense import FactoredDense

__all__ = ["Conv2D", "Dense", "DiagonalCount", "Dropout", "FactoredDense"]
