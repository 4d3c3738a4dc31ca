"""Question 3, counting diagonals with a frozen kernel: claims 6 to 8."""

import functools

import numpy as np

from kerashw.plots.diagonal_counts import worked_example as draw_worked_example
from kerashw.plots.offset_map import offset_map
from kerashw.verify.claim import Evidence, Verdict, claim
from kerashw.verify.diagonal_proof import (
    count_every_offset,
    count_every_placement,
    count_other_images,
    count_random_images,
    worked_example,
)

IMAGES = 1_000_000


@claim(6, "A full segment gives exactly one peak of 3")
def one_segment(trained_models):
    """Count the peaks of one segment at every position in an image of 100×100 pixels.

    >>> one_segment(None).numbers
    {'placements': 9604, 'fewest_peaks': 1, 'most_peaks': 1}
    """
    counts = count_every_placement()
    fewest, most = int(counts.min()), int(counts.max())
    return Evidence(
        method=f"all {counts.size:,} placements in 100×100, a 98×98 feature map",
        measured=f"{fewest} peak at least, {most} at most",
        verdict=Verdict.from_bool(fewest == most == 1),
        numbers={"placements": counts.size, "fewest_peaks": fewest, "most_peaks": most},
    )


@claim(7, "Two segments at a distance of 3 or more give exactly two peaks")
def two_segments(trained_models):
    """Count the peaks for every offset of two segments, and in a million generated images."""
    counted = count_every_offset()
    confusion = count_random_images(IMAGES)
    right = int(np.trace(confusion))
    others = count_other_images()
    exceptions = ", ".join(
        f"({row}, {column}): {count}" for (row, column), count in counted.exceptions.items()
    )
    other_counts = ", ".join(f"{name} {count}" for name, count in others.items())
    return Evidence(
        method=f"all {counted.counts.size - 1:,} offsets that fit into 100×100; "
        f"{IMAGES:,} generated images of both classes",
        measured=f"{counted.wrong_and_legal} of {counted.legal:,} offsets at a distance of 3 or "
        f"more do not have two peaks; {right:,} images are classified correctly",
        verdict=Verdict.from_bool(counted.wrong_and_legal == 0 and right == IMAGES),
        note=f"At a distance below 3, {len(counted.exceptions)} offsets (rows, columns) do not "
        f"have two peaks; the segments are on one line. Their peaks: {exceptions}. The peaks of "
        f"images in neither class: {other_counts}. One peak means Class 1, any other number "
        "Class 2.",
        numbers={
            "offsets": counted.counts.size - 1,
            "legal_offsets": counted.legal,
            "legal_offsets_that_are_not_two": counted.wrong_and_legal,
            "exceptions": [[*offset, count] for offset, count in counted.exceptions.items()],
            "images": IMAGES,
            "images_right": right,
            "other_images": others,
        },
        pictures={
            "claim-7-offsets": functools.partial(
                offset_map, counted.distances, counted.counts, counted.bound
            )
        },
    )


@claim(8, "The worked example: 20×20, Class 2, 18×18 feature map, two peaks")
def example_of_class_two(trained_models):
    """Compute the feature map and the peaks of a generated image.

    >>> example_of_class_two(None).measured
    '18×18 feature map, 2 peaks, where the segments are'
    """
    example = worked_example()
    found = np.argwhere(example.peaks)
    rows, columns = example.feature_map.shape
    at_segments = np.array_equal(found, example.segments)
    return Evidence(
        method="the first image that seed 21 generates",
        measured=f"{rows}×{columns} feature map, {len(found)} peaks, "
        f"{'' if at_segments else 'not '}where the segments are",
        verdict=Verdict.from_bool(at_segments and (rows, columns) == (18, 18) and len(found) == 2),
        numbers={
            "feature_map": example.feature_map.tolist(),
            "peaks": found.tolist(),
            "segments": example.segments.tolist(),
        },
        pictures={
            "claim-8-worked-example": functools.partial(
                draw_worked_example, example.image, example.feature_map, example.peaks
            )
        },
    )
