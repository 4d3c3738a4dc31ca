"""Requests that arrive together share one call of the model."""

import asyncio
import itertools
import time
from collections import deque

import numpy as np

from kerashw.serve.api.status_codes import RequestError


class Task:
    """One request's tensors, waiting for their batch.

    Args:
        tensors: Dictionary of arrays with equal first dimensions.
        size: Integer, that dimension.
        future: `asyncio.Future`, set to the outputs.
    """

    __slots__ = ("future", "key", "queued", "size", "tensors")

    def __init__(self, tensors, size, key, future):
        self.tensors, self.size, self.key, self.future = tensors, size, key, future
        self.queued = time.monotonic()


class Batcher:
    """Puts requests for the same signature together.

    All of it happens on the event loop's thread; only the model's calls are elsewhere.

    Args:
        parameters: `kerashw.serve.servables.config_file_reader.Batching`.
        executor: `concurrent.futures.Executor` with `num_batch_threads` threads.
        on_queued: Function called with the seconds that a request waited.
    """

    def __init__(self, parameters, executor, on_queued=None):
        self.parameters = parameters
        self.executor = executor
        self.on_queued = on_queued
        self.busy = 0
        self.queues = {}

    async def run(self, signature, tensors):
        """Run a signature on a request's tensors, together with others' if there are any.

        Args:
            signature: What has `run`: dictionary of arrays → dictionary of arrays.
            tensors: Dictionary of arrays.

        Returns:
            Dictionary of arrays, this request's part of the outputs.

        Raises:
            RequestError: If the model fails; UNAVAILABLE if too many wait.
        """
        size = batch_size(tensors, self.parameters.max_batch_size)
        queue = self.queues.get(signature)
        if queue is None:
            queue = self.queues[signature] = _Queue()
        task = Task(tensors, size, _shapes(tensors), asyncio.get_running_loop().create_future())
        if queue.is_full(task, self.parameters):
            raise RequestError(
                "The batch scheduling queue to which this task was submitted is full",
                "UNAVAILABLE",
            )
        queue.add(task)
        self._dispatch()
        return await task.future

    def _dispatch(self):
        """Start the batches that are due, while there are threads for them."""
        loop = asyncio.get_running_loop()
        for signature, queue in list(self.queues.items()):
            while queue.tasks and self.busy < self.parameters.num_batch_threads:
                wait = queue.seconds_to_wait(self.parameters)
                if wait > 0:
                    if queue.timer is None:
                        queue.timer = loop.call_later(wait, self._wake, queue)
                    break
                batch = queue.take(self.parameters.max_batch_size)
                self.busy += 1
                call = loop.run_in_executor(self.executor, self._run, signature, batch)
                call.add_done_callback(lambda done, batch=batch: self._finish(batch, done))
            if not queue.tasks and queue.timer is None:
                del self.queues[signature]

    def _wake(self, queue):
        queue.timer = None
        self._dispatch()

    def _run(self, signature, batch):
        """Return the outputs or the error of each request in a batch."""
        if self.on_queued:
            for task in batch:
                self.on_queued(time.monotonic() - task.queued)
        try:
            return self._run_together(signature, batch)
        except RequestError as error:
            if len(batch) == 1:
                return [error]
        # One client's mistake is not another's.
        return [self._run_alone(signature, task) for task in batch]

    def _run_together(self, signature, batch):
        size = sum(task.size for task in batch)
        padding = next((s for s in self.parameters.allowed_batch_sizes if s >= size), size) - size
        outputs = signature.run(_merged(batch, padding))
        return _split(outputs, [task.size for task in batch], padding)

    def _run_alone(self, signature, task):
        try:
            return self._run_together(signature, [task])[0]
        except RequestError as error:
            return error

    def _finish(self, batch, done):
        self.busy -= 1
        for number, task in enumerate(batch):
            result = done.exception() or done.result()[number]
            if task.future.done():  # nobody waits for it any more
                continue
            if isinstance(result, Exception):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)
        self._dispatch()


class _Queue:
    """The requests for one signature that wait."""

    def __init__(self):
        self.tasks = deque()
        self.size = 0
        self.timer = None

    def add(self, task):
        self.tasks.append(task)
        self.size += task.size

    def is_full(self, task, parameters):
        return self.size + task.size > parameters.max_batch_size * parameters.max_enqueued_batches

    def seconds_to_wait(self, parameters):
        if self.size >= parameters.max_batch_size:
            return 0
        waited = time.monotonic() - self.tasks[0].queued
        return parameters.batch_timeout_micros / 1e6 - waited

    def take(self, most):
        """Take the first requests that have the same shapes and fit one batch."""
        first = self.tasks.popleft()
        batch, size, others = [first], first.size, deque()
        while self.tasks and size < most:
            task = self.tasks.popleft()
            if task.key == first.key and size + task.size <= most:
                batch.append(task)
                size += task.size
            else:
                others.append(task)
        self.tasks.extendleft(reversed(others))
        self.size -= size
        return batch


def batch_size(tensors, most):
    """Return the number of examples in a request.

    Raises:
        RequestError: If it has none, or more than a batch may have.
    """
    sizes = {array.shape[0] if array.ndim else None for array in tensors.values()}
    if None in sizes:
        raise RequestError("Batching Run() input tensors must have at least one dimension")
    if len(sizes) > 1:
        raise RequestError("Batching Run() input tensors must have equal 0th-dimension size")
    [size] = sizes
    if size > most:
        raise RequestError(f"Task size {size} is larger than maximum input batch size {most}")
    return size


def _shapes(tensors):
    return tuple((name, array.shape[1:]) for name, array in sorted(tensors.items()))


def _merged(batch, padding):
    if len(batch) == 1 and not padding:
        return batch[0].tensors
    # The last request's first row, which is a possible input, fills the batch up.
    return {
        name: np.concatenate(
            [task.tensors[name] for task in batch] + [batch[-1].tensors[name][:1]] * padding
        )
        for name in batch[0].tensors
    }


def _split(outputs, sizes, padding):
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
    starts = np.cumsum([0, *sizes]).tolist()
    return [
        {name: array[start:end] for name, array in outputs.items()}
        for start, end in itertools.pairwise(starts)
    ]
