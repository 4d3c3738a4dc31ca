"""Positions of one or two diagonal segments in an image, drawn with equal probability.

The position of a segment is the row and the column of the upper left corner of the square around
it. The offset of a pair is the position of the lower segment minus that of the upper one. For two
segments in the same row, the left one counts as the upper one.
"""

import functools

import numpy as np


def distances(image_size=100, length=3):
    """Compute the distance between two segments for every offset.

    Args:
        image_size: Integer, height and width of the image in pixels.
        length: Integer, number of pixels of a segment.

    Returns:
        Float array (2m - 1, 2m - 1), where m = image_size - length + 1 is the number of positions
        along an axis. The element at [m - 1 + i, m - 1 + j] is the smallest distance between a
        pixel of one segment and a pixel of another segment that is i rows below it and j columns
        to its right.

    Example:
        >>> distances(image_size=5).round(2)
        array([[2.83, 2.24, 1.41, 1.  , 0.  ],
               [2.24, 1.41, 1.  , 0.  , 1.  ],
               [1.41, 1.  , 0.  , 1.  , 1.41],
               [1.  , 0.  , 1.  , 1.41, 2.24],
               [0.  , 1.  , 1.41, 2.24, 2.83]])
    """
    reach = image_size - length
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    steps = range(1 - length, length)
    squares = np.min([(rows + k) ** 2 + (columns - k) ** 2 for k in steps], axis=0)
    return np.sqrt(squares)


def single_positions(random_integers, image_size, length):
    """Map random integers to positions of one segment.

    Args:
        random_integers: uint64 array (N,).
        image_size: Integer, height and width of the image in pixels.
        length: Integer, number of pixels of a segment.

    Returns:
        int64 array (N, 2), rows and columns.
    """
    m = image_size - length + 1
    return np.stack(np.divmod((random_integers % np.uint64(m * m)).astype(np.int64), m), axis=-1)


def pair_positions(random_integers, image_size, length, min_distance):
    """Map random integers to positions of two segments.

    Args:
        random_integers: uint64 array (N,).
        image_size: Integer, height and width of the image in pixels.
        length: Integer, number of pixels of a segment.
        min_distance: Float, the smallest legal distance between the segments in pixels.

    Returns:
        int64 array (N, 2, 2), row and column of the upper and the lower segment.
    """
    rows, columns, ends = pair_offsets(image_size, length, min_distance)
    index = (random_integers % np.uint64(ends[-1])).astype(np.int64)
    # The index selects first the offset, then the position of the upper segment in the rectangle
    # of its legal positions for that offset.
    offset = np.searchsorted(ends, index, side="right")
    index -= np.where(offset > 0, ends[offset - 1], 0)
    rows, columns = rows[offset], columns[offset]
    width = image_size - length + 1 - abs(columns)
    upper = np.stack([index // width, index % width - np.minimum(columns, 0)], axis=-1)
    return np.stack([upper, upper + np.stack([rows, columns], axis=-1)], axis=1)


@functools.lru_cache(maxsize=4)
def pair_offsets(image_size, length, min_distance):
    """Compute the legal offsets and the numbers of pairs.

    Args:
        image_size: Integer, height and width of the image in pixels.
        length: Integer, number of pixels of a segment.
        min_distance: Float, the smallest legal distance between the segments in pixels.

    Returns:
        Tuple of three integer arrays of equal length: the rows and the columns of the offsets, and
        the cumulative number of pairs with these offsets.
    """
    m = image_size - length + 1
    rows, columns = np.mgrid[1 - m : m, 1 - m : m]
    forward = (rows > 0) | ((rows == 0) & (columns > 0))
    legal = forward & (distances(image_size, length) >= min_distance)
    rows, columns = rows[legal], columns[legal]
    return rows, columns, np.cumsum((m - rows) * (m - abs(columns)))
