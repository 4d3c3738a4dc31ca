"""Binary images, and a plain count of their diagonals, for the tests of `DiagonalCount`."""

import keras
import numpy as np


def random_images(*shape, density=0.6, seed=0):
    return (np.random.default_rng(seed).random(shape) < density).astype("uint8")


def counts_of(layer, inputs):
    counts = layer(inputs)
    assert keras.backend.standardize_dtype(counts.dtype) == "int32"
    return keras.ops.convert_to_numpy(counts).tolist()


def count_in_python(batch, size, diagonal, threshold=None, count="peaks"):
    """Count pixel by pixel, as a reference."""
    totals = []
    for image in batch[..., 0].astype(float):
        total = 0
        for name in ("anti", "main") if diagonal == "both" else (diagonal,):
            flipped = (image[:, ::-1] if name == "anti" else image).tolist()
            rows, columns = len(flipped) - size + 1, len(flipped[0]) - size + 1
            peaks = {
                (r, c)
                for r in range(rows)
                for c in range(columns)
                if sum(flipped[r + k][c + k] for k in range(size)) >= (threshold or size)
            }
            if count == "segments":
                peaks = {(r, c) for r, c in peaks if (r - 1, c - 1) not in peaks}
            total += len(peaks)
        totals.append(total)
    return totals
