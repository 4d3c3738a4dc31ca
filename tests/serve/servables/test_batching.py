"""Requests that share a call of the model: together, never mixed up, never too many."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.batching import Batcher
from kerashw.serve.servables.config_file_reader import Batching


class Doubler:
    """A signature that doubles, and remembers the sizes of its calls."""

    def __init__(self):
        self.sizes = []
        self.open = threading.Event()
        self.open.set()

    def run(self, tensors):
        assert self.open.wait(30)
        self.sizes.append(len(tensors["x"]))
        if (tensors["x"] == 1313).any():
            raise RequestError("thirteen")
        return {"y": tensors["x"] * 2}


def batched(requests, **parameters):
    """Send all requests at once; return the answers or errors, and the sizes of the calls."""
    parameters = Batching(**({"num_batch_threads": 1} | parameters))
    signature = Doubler()

    async def ask_all():
        with ThreadPoolExecutor(parameters.num_batch_threads) as executor:
            batcher = Batcher(parameters, executor)
            asked = [batcher.run(signature, {"x": np.asarray(x)}) for x in requests]
            return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask_all())
    return [a if isinstance(a, Exception) else a["y"].tolist() for a in answers], signature.sizes


def test_requests_that_arrive_together_share_calls_and_get_their_own_answers():
    requests = [[number, -number] for number in range(200)]
    answers, sizes = batched(
        requests,
        max_batch_size=32,
        max_enqueued_batches=20,
        num_batch_threads=2,
        batch_timeout_micros=9_000,
    )
    assert answers == [[2 * number, -2 * number] for number in range(200)]
    assert max(sizes) <= 32
    assert len(sizes) < 40


def test_a_batch_waits_for_more_until_its_time_is_over():
    answers, sizes = batched([[1], [2], [3]], max_batch_size=8, batch_timeout_micros=50_000)
    assert (answers, sizes) == ([[2], [4], [6]], [3])


def test_a_full_batch_does_not_wait():
    _, sizes = batched([[1]] * 8, max_batch_size=4, batch_timeout_micros=10**9)
    assert sizes == [4, 4]


def test_batches_are_filled_up_to_an_allowed_size():
    answers, sizes = batched(
        [[1], [2], [3]],
        max_batch_size=8,
        batch_timeout_micros=20_000,
        allowed_batch_sizes=(2, 4, 8),
    )
    assert (answers, sizes) == ([[2], [4], [6]], [4])


def test_requests_of_other_shapes_are_in_other_batches():
    answers, sizes = batched([[[1.0]], [[1.0, 2.0]], [[3.0]]], batch_timeout_micros=20_000)
    assert answers == [[[2.0]], [[2.0, 4.0]], [[6.0]]]
    assert sorted(sizes) == [1, 2]


def test_over_the_queue_s_bound_is_503():
    answers, _ = batched([[1]] * 20, max_batch_size=2, max_enqueued_batches=3)
    refused = [answer for answer in answers if isinstance(answer, RequestError)]
    assert refused
    assert {error.http_status for error in refused} == {503}
    assert all(answer == [2] for answer in answers if answer not in refused)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([1, 2, 3, 4, 5], "Task size 5 is larger than maximum input batch size 4"),
        (1, "at least one dimension"),
    ],
)
def test_requests_that_are_no_batches(request_, message):
    [answer], sizes = batched([request_], max_batch_size=4)
    assert message in answer.message
    assert not sizes


def test_one_request_s_error_is_no_other_s():
    answers, sizes = batched([[1], [1313], [2]], batch_timeout_micros=20_000)
    assert sizes == [3, 1, 1, 1]
    assert (answers[0], answers[2]) == ([2], [4])
    assert answers[1].message == "thirteen"


def test_a_request_that_nobody_waits_for_disturbs_no_other():
    parameters = Batching(max_batch_size=4, num_batch_threads=1)
    signature = Doubler()
    signature.open.clear()

    async def ask():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(parameters, executor)
            asked = [
                asyncio.ensure_future(batcher.run(signature, {"x": np.array([number])}))
                for number in range(3)
            ]
            await asyncio.sleep(0.05)
            asked[1].cancel()
            signature.open.set()
            return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first["y"], third["y"]) == (0, 4)
    assert isinstance(second, asyncio.CancelledError)
