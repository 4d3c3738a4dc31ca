"""The division of a data set into training and test examples, by a seed."""

import numpy as np

from kerashw.errors import DataError


def split_rows(labels, classes, test_share, seed):
    """Choose the test examples: of every class the same share.

    The choice depends on the seed and on the labels alone.

    Args:
        labels: Integer array (N,).
        classes: Sequence of strings, the names of the classes.
        test_share: Float in (0, 1).
        seed: Non-negative integer.

    Returns:
        Pair of increasing integer arrays, the rows of the training and of the test examples.

    Raises:
        DataError: If a class has one example only, which cannot be in both.

    Example:
        >>> train, test = split_rows(np.array([0, 1, 0, 1, 0, 1]), "ab", 0.3, seed=0)
        >>> len(train), len(test)
        (4, 2)
    """
    is_test = np.zeros(len(labels), bool)
    for number, name in enumerate(classes):
        rows = np.flatnonzero(labels == number)
        if len(rows) == 1:
            raise DataError(
                f"the class {name!r} has one image. Expected at least two, one to train and one to "
                "test. Add images, or remove the class"
            )
        if len(rows):
            count = min(max(round(test_share * len(rows)), 1), len(rows) - 1)
            is_test[np.random.default_rng((seed, number)).permutation(rows)[:count]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
