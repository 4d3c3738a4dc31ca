"""The characters of EMNIST, whose classes have only numbers in tensorflow-datasets.

Source: G. Cohen, S. Afshar, J. Tapson and A. van Schaik, EMNIST: Extending MNIST to handwritten
letters, 2017, https://arxiv.org/abs/1702.05373, and the mapping files of its archive.
"""

from string import ascii_lowercase, ascii_uppercase, digits

NAME = "emnist"
# The small letters that do not look like their capitals are classes of their own.
_MERGED = digits + ascii_uppercase + "abdefghnqrt"
# The characters of the classes, in the order of the labels, by the name of the configuration.
CLASSES = {
    "byclass": digits + ascii_uppercase + ascii_lowercase,
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": ascii_uppercase,  # capitals and small letters are one class
    "digits": digits,
    "mnist": digits,
}
# The label of the first class, where it is not 0.
FIRST_LABEL = {"letters": 1}
