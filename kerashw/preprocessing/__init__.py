"""Image files of digits, decoded and centred as in MNIST, inside a TensorFlow graph."""

from kerashw.preprocessing.digit_centering import center_digits

__all__ = ["center_digits"]
