"""Question 3's binary images: one diagonal segment, or two at a distance.

A segment of `length` pixels runs from the lower left to the upper right. Its place is the upper
left corner of the square around it, which is also where the feature map of `DiagonalCount` peaks.
"""

import functools
import hashlib
from typing import NamedTuple

import numpy as np

from kerashw.datasets.mnist import ImageDataset
from kerashw.errors import InputError

NAME, VERSION = "diagonals", "1.0.0"
# The data sets of runs, and the share of their pixels that is noise: none, as in the homework, or
# five in an image of 100×100, so that counting pixels does not tell the classes apart.
NOISE = {NAME: 0.0, f"{NAME}/salt": 0.0005}
CLASSES = ("1 diagonal", "2 diagonals")
# Images that get their noise at a time: what is drawn for them needs more memory than they do.
NOISY_AT_ONCE = 1024


class Diagonals(NamedTuple):
    """Images with segments, and where these are.

    Args:
        images: uint8 array (N, image_size, image_size, 1) of zeros and ones.
        labels: int64 array (N,): 1 for one segment, 2 for two.
        segments: int64 array (N, 2, 2): row and column of each segment's place, the upper segment
            first, of two in the same row the left one; -1 where there is no second one.
    """

    images: np.ndarray
    labels: np.ndarray
    segments: np.ndarray


def generate(
    n,
    image_size=100,
    length=3,
    min_distance=3.0,
    class_balance=0.5,
    seed=0,
    noise=0.0,
    noise_diagonals=False,
):
    """Draw images of Class 1 and Class 2, all legal placements of a class equally likely.

    The first images of a longer series are those of a shorter one with the same seed, and the same
    on every machine: all draws are the 64-bit integers of PCG64, taken modulo the number of
    placements.

    Args:
        n: Non-negative integer, the number of images.
        image_size: Integer, height and width.
        length: Integer, at least 2, the pixels of a segment.
        min_distance: Non-negative float, the smallest distance that is allowed between a pixel of
            one segment and a pixel of the other, centre to centre.
        class_balance: Float in [0, 1], the probability of Class 2.
        seed: Non-negative integer.
        noise: Float in [0, 1], the share of pixels that are set at random.
        noise_diagonals: Boolean; whether noise may complete a full diagonal of `length` pixels. If
            not, the noise pixels of each such diagonal are cleared again.

    Returns:
        `Diagonals`.

    Raises:
        InputError: If an argument is not as above, or no placement is legal.

    Example:
        >>> images, labels, segments = generate(4, image_size=20, seed=0)
        >>> images.shape, labels.tolist()
        ((4, 20, 20, 1), [1, 1, 2, 2])
        >>> (images.sum(axis=(1, 2, 3)) == 3 * labels).all()
        np.True_

    Reference:
        The homework, Question 3.
    """
    _check(n, image_size, length, min_distance, class_balance, seed, noise)
    raw = _draw(seed, 0, 2 * n).reshape(n, 2)
    labels = np.where((raw[:, 0] >> 11) * 2.0**-53 < class_balance, 2, 1)
    segments = np.full((n, 2, 2), -1)
    single, double = labels == 1, labels == 2
    segments[single, 0] = _single_places(raw[single, 1], image_size, length)
    if double.any():
        segments[double] = _pairs_of_places(raw[double, 1], image_size, length, min_distance)
    images = paint(segments, image_size, length)
    if noise:
        _add_noise(images, length, noise, noise_diagonals, seed)
    return Diagonals(images, labels, segments)


def distances(image_size=100, length=3):
    """Compute the distance of two segments from the offset between them.

    Args:
        image_size: Integer, height and width of the image.
        length: Integer, the pixels of a segment.

    Returns:
        Float array (2m - 1, 2m - 1), m = image_size - length + 1 being the number of places along
        an axis. At [m - 1 + i, m - 1 + j] stands the smallest distance between a pixel of one
        segment and a pixel of another one that is i rows below it and j columns to its right.

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


def paint(segments, image_size=100, length=3):
    """Paint segments into empty images.

    Args:
        segments: Integer array (N, M, 2), row and column of each segment's place; none where the
            row is negative.
        image_size: Integer, height and width.
        length: Integer, the pixels of a segment.

    Returns:
        uint8 array (N, image_size, image_size, 1) of zeros and ones.

    Example:
        >>> paint(np.array([[[0, 1]]]), image_size=4)[0, ..., 0]
        array([[0, 0, 0, 1],
               [0, 0, 1, 0],
               [0, 1, 0, 0],
               [0, 0, 0, 0]], dtype=uint8)
    """
    images = np.zeros((len(segments), image_size, image_size, 1), "uint8")
    number, which = np.nonzero(segments[..., 0] >= 0)
    rows, columns = segments[number, which].T
    for step in range(length):
        images[number, rows + step, columns + length - 1 - step] = 1
    return images


def load(name=NAME, train=10_000, test=10_000, seed=0):
    """Generate a data set that runs use, in the form of MNIST's.

    Args:
        name: String, a name from `NOISE`: "diagonals", or "diagonals/salt" with noise that
            completes no diagonal.
        train: Positive integer, the images to train on.
        test: Positive integer, the images to test on.
        seed: Non-negative integer.

    Returns:
        `kerashw.datasets.mnist.ImageDataset`: pixels 0 and 255, labels 0 for Class 1 and 1 for
        Class 2.

    Raises:
        InputError: If there is no data set of that name.

    Example:
        >>> data = load(train=20, test=10)
        >>> data.train_images.shape, data.classes[data.test_labels.max()]
        ((20, 100, 100), '2 diagonals')
    """
    if name not in NOISE:
        raise InputError(f"name must be one of {', '.join(NOISE)}. Received: name={name!r}")
    images, labels, _ = generate(train + test, seed=seed, noise=NOISE[name])
    images, labels = 255 * images[..., 0], labels - 1
    arrays = {"train": (images[:train], labels[:train]), "test": (images[train:], labels[train:])}
    checksums = {
        split: hashlib.sha256(pixels.tobytes() + marks.astype("<i8").tobytes()).hexdigest()
        for split, (pixels, marks) in arrays.items()
    }
    return ImageDataset(f"{name}:{VERSION}", *arrays["train"], *arrays["test"], CLASSES, checksums)


def _draw(seed, stream, n):
    """Draw n 64-bit integers; the bits of PCG64 are the same for all releases of NumPy."""
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,))).random_raw(n)


def _single_places(raw, image_size, length):
    m = image_size - length + 1
    return np.stack(np.divmod((raw % np.uint64(m * m)).astype(np.int64), m), axis=-1)


def _pairs_of_places(raw, image_size, length, min_distance):
    """Choose among all pairs of segments: first their offset, then the place of the upper one."""
    rows, columns, ends = _offsets(image_size, length, min_distance)
    index = (raw % np.uint64(ends[-1])).astype(np.int64)
    offset = np.searchsorted(ends, index, side="right")
    # Of the pairs with this offset, the place's index in the rectangle where the upper one can be.
    index -= np.where(offset > 0, ends[offset - 1], 0)
    rows, columns = rows[offset], columns[offset]
    width = image_size - length + 1 - abs(columns)
    upper = np.stack([index // width, index % width - np.minimum(columns, 0)], axis=-1)
    return np.stack([upper, upper + np.stack([rows, columns], axis=-1)], axis=1)


@functools.lru_cache(maxsize=4)
def _offsets(image_size, length, min_distance):
    """Return the rows and columns of the legal offsets, each once, and their cumulated pairs."""
    m = image_size - length + 1
    rows, columns = np.mgrid[1 - m : m, 1 - m : m]
    forward = (rows > 0) | ((rows == 0) & (columns > 0))
    legal = forward & (distances(image_size, length) >= min_distance)
    rows, columns = rows[legal], columns[legal]
    return rows, columns, np.cumsum((m - rows) * (m - abs(columns)))


def _add_noise(images, length, noise, noise_diagonals, seed):
    limit = round(noise * 2**16)
    for start in range(0, len(images), NOISY_AT_ONCE):
        clean = images[start : start + NOISY_AT_ONCE, ..., 0]
        # Four pixels a draw, in the same order on every machine.
        raw = _draw(seed, 1 + start // NOISY_AT_ONCE, -(-clean.size // 4))
        salt = (raw.astype("<u8").view("<u2")[: clean.size] < limit).reshape(clean.shape)
        if not noise_diagonals:
            full = _full(clean | salt, length) & ~_full(clean > 0, length)
            salt &= ~_covered(full, clean.shape, length)
        clean |= salt


def _windows(images, length):
    """Return the images as each pixel of a segment sees them."""
    m = images.shape[1] - length + 1
    last = length - 1
    return [images[:, k : k + m, last - k : last - k + m] for k in range(length)]


def _full(images, length):
    return np.logical_and.reduce(_windows(images > 0, length))


def _covered(places, shape, length):
    """Mark the pixels of the segments at the places that are marked."""
    covered = np.zeros(shape, bool)
    for window in _windows(covered, length):
        window |= places
    return covered


def _check(n, image_size, length, min_distance, class_balance, seed, noise):
    whole = {"n": (n, 0), "image_size": (image_size, 1), "length": (length, 2), "seed": (seed, 0)}
    for name, (value, least) in whole.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
            raise InputError(
                f"{name} must be a whole number of at least {least}. Received: {name}={value!r}"
            )
    for name, share in (("class_balance", class_balance), ("noise", noise)):
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise InputError(f"{name} must be a share in [0, 1]. Received: {name}={share!r}")
    if not isinstance(min_distance, (int, float)) or not min_distance >= 0:
        raise InputError(
            f"min_distance must be a number of at least 0. Received: min_distance={min_distance!r}"
        )
    if length > image_size:
        raise InputError(
            f"length must be at most image_size. Received: length={length}, image_size={image_size}"
        )
    if class_balance and not len(_offsets(image_size, length, min_distance)[0]):
        raise InputError(
            "no two segments that far apart fit into the image. "
            f"Received: image_size={image_size}, length={length}, min_distance={min_distance}"
        )
