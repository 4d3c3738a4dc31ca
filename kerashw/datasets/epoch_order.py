"""The order of the examples in an epoch, which depends only on the seed and the epoch.

Small data sets are shuffled completely. The examples of larger ones are stored on disk, where
reading them one by one in a random order is slow. Their order is that of a block shuffle, in two
steps: all blocks of neighbouring examples are shuffled; then the examples of each window, of many
blocks, are shuffled. So the examples of a window come from hundreds of random places of the data
set, and are read in as many pieces.

The order does not depend on whether the data set is in memory or on disk.
"""

import numpy as np

WINDOW_BYTES = 2**27  # Data sets up to this size are shuffled completely.
BLOCK_BYTES = 2**18
# Windows are a multiple of this number of examples, so that batches of the usual sizes fit.
WINDOW_MULTIPLE = 1024


def epoch_order(length, seed, epoch, example_bytes=0):
    """Return the order of the examples in an epoch.

    Args:
        length: Integer, the number of examples.
        seed: Non-negative integer, or `None` for examples that are not shuffled.
        epoch: Non-negative integer, the number of the epoch.
        example_bytes: Integer, the size of an example; 0 for a complete shuffle.

    Returns:
        int32 array (length,), a permutation.

    Example:
        >>> epoch_order(4, seed=None, epoch=0).tolist()
        [0, 1, 2, 3]
        >>> sorted(epoch_order(100_000, 0, 0, example_bytes=3072)) == list(range(100_000))
        True
    """
    indices = np.arange(length, dtype=np.int32)
    if seed is None:
        return indices
    random = np.random.default_rng((seed, epoch))
    window = window_length(example_bytes) if length * example_bytes > WINDOW_BYTES else length
    if window < length:
        block = max(BLOCK_BYTES // example_bytes, 1)
        starts = block * random.permutation(-(-length // block)).astype(np.int32)
        indices = (starts[:, np.newaxis] + np.arange(block, dtype=np.int32)).ravel()
        indices = indices[indices < length]
    for start in range(0, length, window):
        random.shuffle(indices[start : start + window])
    return indices


def window_length(example_bytes):
    """Return the number of examples in a window.

    Args:
        example_bytes: Positive integer, the size of an example.

    Example:
        >>> window_length(28 * 28)
        171008
    """
    length = max(WINDOW_BYTES // example_bytes, 1)
    return length // WINDOW_MULTIPLE * WINDOW_MULTIPLE or length
