"""Generated binary images for Question 3, with one diagonal segment or with two.

A segment of `length` pixels runs from the lower left to the upper right. Its position is the upper
left corner of the square around it. The feature map of `DiagonalCount` has its peak there.

`import kerashw.datasets.diagonals_tfds_builder` also registers the images as the data set
`diagonals` of tensorflow-datasets.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from kerashw.datasets.diagonal_positions import pair_offsets, pair_positions, single_positions
from kerashw.datasets.image_dataset import ImageDataset
from kerashw.errors import InputError

NAME, VERSION = "diagonals", "1.0.0"
# Name of a data set → its fraction of noise pixels. `diagonals` has none, as in the homework.
# `diagonals/salt` has five in an image of 100×100, so that the number of pixels does not separate
# the classes.
NOISE = {NAME: 0.0, f"{NAME}/salt": 0.0005}
CLASSES = ("1 diagonal", "2 diagonals")
# Number of images whose noise is drawn at a time, because the random integers need more memory
# than the images.
NOISE_BATCH_SIZE = 1024


class Diagonals(NamedTuple):
    """Images with the positions of their segments.

    Args:
        images: uint8 array (N, image_size, image_size, 1) of zeros and ones.
        labels: int64 array (N,): 1 for one segment, 2 for two.
        segments: int64 array (N, 2, 2): row and column of each segment's position. The upper
            segment is first; of two segments in the same row, the left one. -1 stands for a
            missing second segment.
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
    """Generate images of Class 1 and Class 2. All legal placements of a class are equally likely.

    The images are the same on every machine: they depend only on 64-bit integers from PCG64,
    modulo the number of placements. With the same seed, a longer series starts with the images of
    a shorter one.

    Args:
        n: Non-negative integer, the number of images.
        image_size: Integer, height and width in pixels.
        length: Integer, at least 2, the number of pixels of a segment.
        min_distance: Non-negative float, the smallest legal distance between the centre of a pixel
            of one segment and the centre of a pixel of the other, in pixels.
        class_balance: Float in [0, 1], the probability of Class 2.
        seed: Non-negative integer.
        noise: Float in [0, 1], the fraction of pixels that are set at random.
        noise_diagonals: Boolean; whether noise may complete a diagonal of `length` pixels. If not,
            the noise pixels of each such diagonal are cleared again.

    Returns:
        `Diagonals`.

    Raises:
        InputError: If an argument is out of its range, or if no placement is legal.

    Example:
        >>> images, labels, segments = generate(4, image_size=20, seed=0)
        >>> images.shape, labels.tolist()
        ((4, 20, 20, 1), [1, 1, 2, 2])
        >>> (images.sum(axis=(1, 2, 3)) == 3 * labels).all()
        np.True_

    Reference:
        The homework, Question 3.
    """
    _check_arguments(n, image_size, length, min_distance, class_balance, seed, noise)
    random_integers = _random_integers(seed, 0, 2 * n).reshape(n, 2)
    labels = np.where((random_integers[:, 0] >> 11) * 2.0**-53 < class_balance, 2, 1)
    segments = np.full((n, 2, 2), -1)
    single, double = labels == 1, labels == 2
    segments[single, 0] = single_positions(random_integers[single, 1], image_size, length)
    if double.any():
        segments[double] = pair_positions(
            random_integers[double, 1], image_size, length, min_distance
        )
    images = paint(segments, image_size, length)
    if noise:
        _add_noise(images, length, noise, noise_diagonals, seed)
    return Diagonals(images, labels, segments)


def paint(segments, image_size=100, length=3):
    """Paint segments into empty images.

    Args:
        segments: Integer array (N, M, 2), row and column of each segment's position. A segment
            with a negative row is not painted.
        image_size: Integer, height and width in pixels.
        length: Integer, the number of pixels of a segment.

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
    image_index, segment_index = np.nonzero(segments[..., 0] >= 0)
    rows, columns = segments[image_index, segment_index].T
    for step in range(length):
        images[image_index, rows + step, columns + length - 1 - step] = 1
    return images


def load(name=NAME, train=10_000, test=10_000, seed=0):
    """Generate a data set to train on, in the form of MNIST.

    Args:
        name: String, a name from `NOISE`: "diagonals", or "diagonals/salt" with noise that
            completes no diagonal.
        train: Positive integer, the number of training images.
        test: Positive integer, the number of test images.
        seed: Non-negative integer.

    Returns:
        `ImageDataset` with pixels 0 and 255, and labels 0 for Class 1 and 1 for Class 2.

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


def _random_integers(seed, stream, n):
    """Return n random 64-bit integers. NumPy keeps the stream of PCG64 in all its releases."""
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,))).random_raw(n)


def _add_noise(images, length, noise, noise_diagonals, seed):
    limit = round(noise * 2**16)
    for start in range(0, len(images), NOISE_BATCH_SIZE):
        clean = images[start : start + NOISE_BATCH_SIZE, ..., 0]
        # Each integer has the random bits of four pixels, in the same order on every machine.
        integers = _random_integers(seed, 1 + start // NOISE_BATCH_SIZE, -(-clean.size // 4))
        salt = (integers.astype("<u8").view("<u2")[: clean.size] < limit).reshape(clean.shape)
        if not noise_diagonals:
            completed = _full_diagonals(clean | salt, length) & ~_full_diagonals(clean, length)
            salt &= ~_pixels_of_diagonals(completed, clean.shape, length)
        clean |= salt


def _windows(images, length):
    """Return one view of the images for each pixel of a segment, indexed by its position."""
    m = images.shape[1] - length + 1
    last = length - 1
    return [images[:, k : k + m, last - k : last - k + m] for k in range(length)]


def _full_diagonals(images, length):
    """Return the positions where all pixels of a segment are set, as a boolean array."""
    return np.logical_and.reduce(_windows(images > 0, length))


def _pixels_of_diagonals(positions, shape, length):
    """Return the pixels of the segments at the positions that are set, as a boolean array."""
    pixels = np.zeros(shape, bool)
    for window in _windows(pixels, length):
        window |= positions
    return pixels


def _check_arguments(n, image_size, length, min_distance, class_balance, seed, noise):
    minima = {"n": (n, 0), "image_size": (image_size, 1), "length": (length, 2), "seed": (seed, 0)}
    for name, (value, minimum) in minima.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < minimum:
            raise InputError(
                f"{name} must be an integer of at least {minimum}. Received: {name}={value!r}"
            )
    for name, value in (("class_balance", class_balance), ("noise", noise)):
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise InputError(f"{name} must be a number in [0, 1]. Received: {name}={value!r}")
    if not isinstance(min_distance, (int, float)) or not min_distance >= 0:
        raise InputError(
            f"min_distance must be a number of at least 0. Received: min_distance={min_distance!r}"
        )
    if length > image_size:
        raise InputError(
            f"length must be at most image_size. Received: length={length}, image_size={image_size}"
        )
    if class_balance and not len(pair_offsets(image_size, length, min_distance)[0]):
        raise InputError(
            "no two segments that far apart fit into the image. "
            f"Received: image_size={image_size}, length={length}, min_distance={min_distance}"
        )
