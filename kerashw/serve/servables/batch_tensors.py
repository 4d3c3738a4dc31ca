"""The tensors of a batch: concatenated before the call of the model, and split after it."""

import itertools

import numpy as np

from kerashw.serve.api.status_codes import RequestError


def batch_size(tensors, max_batch_size):
    """Return the number of examples in a request.

    Args:
        tensors: Dictionary of arrays.
        max_batch_size: Integer.

    Raises:
        RequestError: If the first dimensions of the arrays differ, or there are too many examples.
    """
    sizes = {array.shape[0] if array.ndim else None for array in tensors.values()}
    if None in sizes:
        raise RequestError("Batching Run() input tensors must have at least one dimension")
    if len(sizes) > 1:
        raise RequestError("Batching Run() input tensors must have equal 0th-dimension size")
    [size] = sizes
    if size > max_batch_size:
        raise RequestError(
            f"Task size {size} is larger than maximum input batch size {max_batch_size}"
        )
    return size


def element_count(tensors):
    """Return the number of elements of all tensors together."""
    return sum(array.size for array in tensors.values())


def example_shapes(tensors):
    """Return the names of tensors and the shapes of one example, as a hashable tuple."""
    return tuple((name, array.shape[1:]) for name, array in sorted(tensors.items()))


def concatenate(requests, padding):
    """Concatenate the tensors of requests.

    Args:
        requests: List of dictionaries of arrays.
        padding: Integer, the number of rows to add. They are copies of the last request's first
            row, as this is a valid input.

    Returns:
        Dictionary of arrays.
    """
    if len(requests) == 1 and not padding:
        return requests[0]
    return {
        name: np.concatenate(
            [tensors[name] for tensors in requests] + [requests[-1][name][:1]] * padding
        )
        for name in requests[0]
    }


def split(outputs, sizes, padding):
    """Split the outputs of a batch into those of its requests.

    Args:
        outputs: Dictionary of arrays.
        sizes: List of integers, the number of examples in each request.
        padding: Integer, the number of rows that were added.

    Returns:
        List of dictionaries of arrays.

    Raises:
        RequestError: If an output does not have one row for each example.
    """
    total = sum(sizes) + padding
    for array in outputs.values():
        if not array.ndim:
            raise RequestError("Batched output tensor has 0 dimensions", "FAILED_PRECONDITION")
        if len(array) != total:
            raise RequestError(
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                "dimension sizes of the input tensors",
                "FAILED_PRECONDITION",
            )
    starts = itertools.accumulate(sizes, initial=0)
    return [
        {name: array[start:end] for name, array in outputs.items()}
        for start, end in itertools.pairwise(starts)
    ]
