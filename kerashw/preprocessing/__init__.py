"""Image files of digits, decoded and centred as MNIST's images are, inside a TensorFlow graph."""

from kerashw.preprocessing.digit_centering import normalized

__all__ = ["normalized"]
