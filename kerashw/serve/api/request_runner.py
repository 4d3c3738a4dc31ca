"""Runs requests: each step on the event loop's thread if it is short, otherwise on another."""

import asyncio
import time

from kerashw.serve.api.time_limit import TimeLimit, timeout_error
from kerashw.serve.servables.batch_tensors import element_count

INLINE_BYTES = 256 * 2**10  # larger messages are read on another thread than the event loop's


class RequestRunner:
    """Runs the predict, classify and regress requests of both APIs.

    Args:
        executor: `concurrent.futures.Executor`, which runs slow steps.
        timeout: Float, the longest time of a step in seconds.
        batcher: `kerashw.serve.servables.batching.Batcher`, which lets requests share calls of the
            model; `None` runs each request alone.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.
    """

    def __init__(self, executor, timeout=30.0, batcher=None, metrics=None):
        self.executor = executor
        self.timeout = timeout
        self.batcher = batcher
        self.metrics = metrics
        self._batch_limit = TimeLimit()

    async def respond(self, request, size):
        """Run all steps of a request.

        Args:
            request: `kerashw.serve.api.inference_request.InferenceRequest`.
            size: Integer, the size of its message in bytes.

        Returns:
            The result of the request's `response`.

        Raises:
            RequestError: If the request fails. The code is DEADLINE_EXCEEDED after the timeout.
        """
        short = size <= INLINE_BYTES
        await self._call(request.read, short)
        started = time.perf_counter()
        signature, tensors = request.signature, request.tensors
        if self.batcher and self.batcher.takes(signature, tensors):
            future = self.batcher.submit(signature, tensors)
            request.outputs = await self._batch_limit.wait(future, self.timeout)
        else:
            is_fast = signature.is_fast(element_count(tensors))
            request.outputs = await self._call(lambda: signature.run(tensors), is_fast)
        self._record(request, time.perf_counter() - started)
        return await self._call(request.response, short)

    async def _call(self, function, inline):
        if inline:
            return function()
        call = asyncio.get_running_loop().run_in_executor(self.executor, function)
        try:
            async with asyncio.timeout(self.timeout):
                return await call
        except TimeoutError:
            raise timeout_error() from None

    def _record(self, request, seconds):
        if self.metrics:
            first = next(iter(request.tensors.values()))
            examples = first.shape[0] if first.ndim else 1
            self.metrics.record_run(request.model, request.action.capitalize(), seconds, examples)
