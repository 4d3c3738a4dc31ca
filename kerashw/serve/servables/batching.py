"""Batching: requests that arrive at about the same time share one call of the model."""

import asyncio
import time
from collections import deque
from functools import partial

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.batch_tensors import batch_size, concatenate, example_shapes, split


class Batcher:
    """Combines requests for the same signature into batches.

    All methods run on the event loop's thread, except for the calls of the model.

    Args:
        parameters: `kerashw.serve.servables.config_file_reader.BatchingParameters`.
        executor: `concurrent.futures.Executor` with `num_batch_threads` threads.
        on_queued: Function, called with the waiting time of each request, in seconds.
    """

    def __init__(self, parameters, executor, on_queued=None):
        self.parameters = parameters
        self.executor = executor
        self.on_queued = on_queued
        self.running_batches = 0
        self.queues = {}

    async def run(self, signature, tensors):
        """Call a signature with a request's tensors, in a batch with other requests' if there are.

        Args:
            signature: `kerashw.serve.servables.signature.Signature`.
            tensors: Dictionary of arrays.

        Returns:
            Dictionary of arrays, the request's part of the outputs.

        Raises:
            RequestError: If the call fails. The code is UNAVAILABLE if too many requests wait.
        """
        task = _Task(tensors, batch_size(tensors, self.parameters.max_batch_size))
        queue = self.queues.get(signature)
        if queue is None:
            queue = self.queues[signature] = _Queue(self.parameters)
        if queue.is_full(task):
            raise RequestError(
                "The batch scheduling queue to which this task was submitted is full",
                "UNAVAILABLE",
            )
        queue.add(task)
        self._start_batches()
        return await task.future

    def _start_batches(self):
        """Start the batches that are due, as long as threads are free."""
        loop = asyncio.get_running_loop()
        for signature, queue in list(self.queues.items()):
            while queue.tasks and self.running_batches < self.parameters.num_batch_threads:
                seconds = queue.seconds_until_due()
                if seconds > 0:
                    if queue.timer is None:
                        queue.timer = loop.call_later(seconds, self._on_timer, queue)
                    break
                batch = queue.pop_batch()
                self.running_batches += 1
                call = loop.run_in_executor(self.executor, self._run_batch, signature, batch)
                call.add_done_callback(partial(self._on_batch_done, batch))
            if not queue.tasks and queue.timer is None:
                del self.queues[signature]

    def _on_timer(self, queue):
        queue.timer = None
        self._start_batches()

    def _run_batch(self, signature, batch):
        """Return the outputs or the error of each request in a batch."""
        if self.on_queued:
            for task in batch:
                self.on_queued(time.monotonic() - task.arrival)
        try:
            return self._call(signature, batch)
        except RequestError as error:
            if len(batch) == 1:
                return [error]
        # A request that fails must not affect the others, so each is repeated alone.
        return [self._run_batch_of_one(signature, task) for task in batch]

    def _run_batch_of_one(self, signature, task):
        try:
            return self._call(signature, [task])[0]
        except RequestError as error:
            return error

    def _call(self, signature, batch):
        size = sum(task.size for task in batch)
        padding = next((s for s in self.parameters.allowed_batch_sizes if s >= size), size) - size
        outputs = signature.run(concatenate([task.tensors for task in batch], padding))
        return split(outputs, [task.size for task in batch], padding)

    def _on_batch_done(self, batch, call):
        self.running_batches -= 1
        for number, task in enumerate(batch):
            result = call.exception() or call.result()[number]
            if task.future.done():  # the request was cancelled
                continue
            if isinstance(result, Exception):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)
        self._start_batches()


class _Task:
    """A request that waits for its batch."""

    __slots__ = ("arrival", "future", "shapes", "size", "tensors")

    def __init__(self, tensors, size):
        self.tensors = tensors
        self.size = size
        self.shapes = example_shapes(tensors)
        self.future = asyncio.get_running_loop().create_future()
        self.arrival = time.monotonic()


class _Queue:
    """The requests for one signature that wait for their batch."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.tasks = deque()
        self.size = 0
        self.timer = None

    def add(self, task):
        self.tasks.append(task)
        self.size += task.size

    def is_full(self, task):
        limit = self.parameters.max_batch_size * self.parameters.max_enqueued_batches
        return self.size + task.size > limit

    def seconds_until_due(self):
        if self.size >= self.parameters.max_batch_size:
            return 0
        waited = time.monotonic() - self.tasks[0].arrival
        return self.parameters.batch_timeout_micros / 1e6 - waited

    def pop_batch(self):
        """Remove and return the first requests that have equal shapes and fit into one batch."""
        limit = self.parameters.max_batch_size
        first = self.tasks.popleft()
        batch, size, others = [first], first.size, deque()
        while self.tasks and size < limit:
            task = self.tasks.popleft()
            if task.shapes == first.shapes and size + task.size <= limit:
                batch.append(task)
                size += task.size
            else:
                others.append(task)
        self.tasks.extendleft(reversed(others))
        self.size -= size
        return batch
