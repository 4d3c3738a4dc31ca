"""Batching: requests that arrive at about the same time share one call of the model."""

import asyncio
import time
from collections import deque
from functools import partial

from kerashw.serve.api.status_codes import RequestError
from kerashw.serve.servables.batch_tensors import (
    batch_size,
    concatenate,
    element_count,
    example_shapes,
    split,
)


class Batcher:
    """Combines requests for the same signature into batches.

    All methods run on the event loop's thread, except for slow calls of the model.

    Args:
        parameters: `kerashw.serve.servables.config_file_reader.BatchingParameters`.
        executor: `concurrent.futures.Executor` with `num_batch_threads` threads.
        metrics: `kerashw.serve.prometheus_metrics.Metrics`; `None` records nothing.
        takes_all: Boolean, whether requests that cannot be in a batch are refused, as TensorFlow
            Serving does with `--enable_batching`. Otherwise, `takes` returns False for them, and a
            request that is alone in its batch is not checked.
    """

    def __init__(self, parameters, executor, metrics=None, takes_all=True):
        self.parameters = parameters
        self.executor = executor
        self.metrics = metrics
        self.takes_all = takes_all
        self.submitted_batches = 0
        self.queues = {}
        self._is_scheduled = False

    def takes(self, signature, tensors):
        """Return whether a request may share a call with others."""
        if self.takes_all:
            return True
        sizes = {array.shape[0] if array.ndim else 0 for array in tensors.values()}
        fits = len(sizes) == 1 and 0 < max(sizes) <= self.max_batch_size
        return fits and signature.is_batch(tensors)

    @property
    def max_batch_size(self):
        """The largest number of examples in a batch."""
        return self.parameters.max_batch_size

    def submit(self, signature, tensors):
        """Call a signature with a request's tensors, in a batch with other requests' if there are.

        Args:
            signature: `kerashw.serve.servables.signature.Signature`.
            tensors: Dictionary of arrays.

        Returns:
            `asyncio.Future` of a dictionary of arrays, the request's part of the outputs, or of a
            `RequestError` if the call fails.

        Raises:
            RequestError: If the request cannot be in a batch. The code is UNAVAILABLE if too many
                requests wait.
        """
        task = _Task(tensors, batch_size(tensors, self.max_batch_size))
        queue = self.queues.get(signature)
        if queue is None:
            queue = self.queues[signature] = _Queue(self.parameters)
        if queue.is_full(task):
            raise RequestError(
                "The batch scheduling queue to which this task was submitted is full",
                "UNAVAILABLE",
            )
        queue.add(task)
        if not self._is_scheduled:
            # Requests that have arrived by now are read first, and then share the call.
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start_batches)
        return task.future

    def _start_batches(self):
        """Start the batches that are due, as long as threads are free."""
        self._is_scheduled = False
        for signature, queue in list(self.queues.items()):
            self._start_batches_of(signature, queue)
            if not queue.tasks and queue.timer is None:
                del self.queues[signature]

    def _start_batches_of(self, signature, queue):
        loop = asyncio.get_running_loop()
        while queue.tasks and self._has_thread_for(queue):
            seconds = queue.seconds_until_due()
            if seconds > 0:
                if queue.timer is None:
                    queue.timer = loop.call_later(seconds, self._on_timer, queue)
                return
            batch = queue.pop_batch()
            if signature.is_fast(sum(element_count(task.tensors) for task in batch)):
                _set_results(batch, self._run_batch(signature, batch))
                continue
            self.submitted_batches += 1
            call = loop.run_in_executor(self.executor, self._run_batch, signature, batch)
            call.add_done_callback(partial(self._on_batch_done, batch))

    def _has_thread_for(self, queue):
        """Return whether a batch can be handed to the threads.

        A full one, which no other request can join, already waits while they are busy: a thread
        that becomes free need not wait for the event loop, which reads requests.
        """
        waiting = int(queue.size >= self.max_batch_size)
        return self.submitted_batches < self.parameters.num_batch_threads + waiting

    def _on_timer(self, queue):
        queue.timer = None
        self._start_batches()

    def _run_batch(self, signature, batch):
        """Return the outputs or the error of each request in a batch."""
        if self.metrics:
            now = time.monotonic()
            waits = [now - task.arrival for task in batch]
            self.metrics.record_batch(self.parameters.thread_pool_name, waits)
        try:
            return self._call(signature, batch)
        except Exception as error:  # of any kind: the request gets it
            if len(batch) == 1:
                return [error]
        # A request that fails must not affect the others, so each is repeated alone.
        return [self._run_batch_of_one(signature, task) for task in batch]

    def _run_batch_of_one(self, signature, task):
        try:
            return self._call(signature, [task])[0]
        except Exception as error:  # of any kind: the request gets it
            return error

    def _call(self, signature, batch):
        if len(batch) == 1 and not self.takes_all:
            return [signature.run(batch[0].tensors)]
        size = sum(task.size for task in batch)
        padding = next((s for s in self.parameters.allowed_batch_sizes if s >= size), size) - size
        outputs = signature.run(concatenate([task.tensors for task in batch], padding))
        return split(outputs, [task.size for task in batch], padding)

    def _on_batch_done(self, batch, call):
        self.submitted_batches -= 1
        _set_results(batch, call.result())
        self._start_batches()


def _set_results(batch, results):
    for task, result in zip(batch, results, strict=True):
        if task.future.done():  # the request was cancelled
            continue
        if isinstance(result, Exception):
            task.future.set_exception(result)
        else:
            task.future.set_result(result)


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
