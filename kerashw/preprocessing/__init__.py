"""Image files, decoded and scaled or, of digits, centred as in MNIST, inside a TensorFlow graph."""

from kerashw.preprocessing.digit_centering import center_digits
from kerashw.preprocessing.picture_scaling import scale_files

__all__ = ["center_digits", "scale_files"]
