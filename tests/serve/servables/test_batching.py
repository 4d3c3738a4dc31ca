"""Batching: requests share calls of the model, and each receives its own outputs or error."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import BatchingParameters
from tests.serve.processes import wait_until


class Doubler:
    """A signature that doubles its input and records the sizes of its calls."""

    def __init__(self):
        self.sizes = []
        self.may_run = threading.Event()
        self.may_run.set()

    def is_fast(self, size):
        return False

    def run(self, tensors):
        assert self.may_run.wait(30)
        self.sizes.append(len(tensors["x"]))
        if (tensors["x"] == 1313).any():
            raise RequestError("thirteen")
        return {"y": tensors["x"] * 2}


async def run(batcher, signature, x):
    return await batcher.submit(signature, {"x": x})


def batched(requests, **parameters):
    """Send all requests at once; return the outputs or errors, and the sizes of the calls."""
    parameters = BatchingParameters(**({"num_batch_threads": 1} | parameters))
    signature = Doubler()

    async def run_all():
        with ThreadPoolExecutor(parameters.num_batch_threads) as executor:
            batcher = Batcher(parameters, executor)
            calls = [run(batcher, signature, np.asarray(x)) for x in requests]
            return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(run_all())
    return [a if isinstance(a, Exception) else a["y"].tolist() for a in results], signature.sizes


def test_simultaneous_requests_share_calls_and_receive_their_own_outputs():
    requests = [[number, -number] for number in range(200)]
    results, sizes = batched(
        requests,
        max_batch_size=32,
        max_enqueued_batches=20,
        num_batch_threads=2,
        batch_timeout_micros=9_000,
    )
    assert results == [[2 * number, -2 * number] for number in range(200)]
    assert max(sizes) <= 32
    assert len(sizes) < 40


def test_a_batch_waits_for_requests_until_the_timeout():
    results, sizes = batched([[1], [2], [3]], max_batch_size=8, batch_timeout_micros=50_000)
    assert (results, sizes) == ([[2], [4], [6]], [3])


def test_a_full_batch_does_not_wait():
    _, sizes = batched([[1]] * 8, max_batch_size=4, batch_timeout_micros=10**9)
    assert sizes == [4, 4]


def test_batches_are_padded_to_an_allowed_size():
    results, sizes = batched(
        [[1], [2], [3]],
        max_batch_size=8,
        batch_timeout_micros=20_000,
        allowed_batch_sizes=(2, 4, 8),
    )
    assert (results, sizes) == ([[2], [4], [6]], [4])


def test_requests_of_different_shapes_are_in_different_batches():
    results, sizes = batched([[[1.0]], [[1.0, 2.0]], [[3.0]]], batch_timeout_micros=20_000)
    assert results == [[[2.0]], [[2.0, 4.0]], [[6.0]]]
    assert sorted(sizes) == [1, 2]


def test_requests_beyond_the_limit_of_the_queue_are_refused_with_503():
    results, _ = batched([[1]] * 20, max_batch_size=2, max_enqueued_batches=3)
    refused = [result for result in results if isinstance(result, RequestError)]
    assert refused
    assert {error.http_status for error in refused} == {503}
    assert all(result == [2] for result in results if result not in refused)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([1, 2, 3, 4, 5], "Task size 5 is larger than maximum input batch size 4"),
        (1, "at least one dimension"),
    ],
)
def test_requests_that_cannot_be_batched(request_, message):
    [result], sizes = batched([request_], max_batch_size=4)
    assert message in result.message
    assert not sizes


def test_an_error_of_one_request_does_not_affect_the_others():
    results, sizes = batched([[1], [1313], [2]], batch_timeout_micros=20_000)
    assert sizes == [3, 1, 1, 1]
    assert (results[0], results[2]) == ([2], [4])
    assert results[1].message == "thirteen"


def test_a_full_batch_follows_another_while_the_event_loop_is_busy():
    signature = Doubler()
    signature.may_run.clear()

    async def run_batches():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(BatchingParameters(max_batch_size=2, num_batch_threads=1), executor)
            results = []
            for requests in ([[1]], [[2], [3]], [[4]]):
                results += [batcher.submit(signature, {"x": np.array(x)}) for x in requests]
                await asyncio.sleep(0)  # the batcher starts what it can
            signature.may_run.set()
            wait_until(lambda: len(signature.sizes) == 2)  # without the event loop
            assert signature.sizes == [1, 2]  # others can still join the last one
            return [(await result)["y"] for result in results]

    assert asyncio.run(run_batches()) == [2, 4, 6, 8]


def test_a_cancelled_request_does_not_affect_the_others():
    parameters = BatchingParameters(max_batch_size=4, num_batch_threads=1)
    signature = Doubler()
    signature.may_run.clear()

    async def run_three():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(parameters, executor)
            calls = [
                asyncio.ensure_future(run(batcher, signature, np.array([number])))
                for number in range(3)
            ]
            await asyncio.sleep(0.05)
            calls[1].cancel()
            signature.may_run.set()
            return await asyncio.gather(*calls, return_exceptions=True)

    first, second, third = asyncio.run(run_three())
    assert (first["y"], third["y"]) == (0, 4)
    assert isinstance(second, asyncio.CancelledError)
