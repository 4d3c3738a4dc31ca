"""The geometry of diagonal segments, pixel by pixel."""

import itertools

import numpy as np


def pixels_of(segment, length=3):
    row, column = segment
    return [(row + k, column + length - 1 - k) for k in range(length)]


def distance(one, other, length=3):
    """Return the smallest distance between the pixels of two segments."""
    pairs = itertools.product(pixels_of(one, length), pixels_of(other, length))
    return min(np.hypot(a - c, b - d) for (a, b), (c, d) in pairs)


def placements(image_size, length, min_distance):
    """Return all placements of one segment, and all legal placements of two."""
    places = list(itertools.product(range(image_size - length + 1), repeat=2))
    pairs = itertools.combinations(places, 2)
    far = [pair for pair in pairs if distance(*pair, length) >= min_distance]
    return [(place,) for place in places], far


def as_placement(segments):
    return tuple(tuple(segment) for segment in segments.tolist() if segment[0] >= 0)
