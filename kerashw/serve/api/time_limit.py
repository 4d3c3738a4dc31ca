"""One time limit for many futures."""

import asyncio

from kerashw.serve.api.status_codes import RequestError


def timeout_error():
    """Return the error for a model that takes too long."""
    return RequestError("Timed out waiting for the model", "DEADLINE_EXCEEDED")


class TimeLimit:
    """Waits for futures, each of them at most for the same time.

    One timer looks at the oldest future, while `asyncio.timeout` has a timer for each, which takes
    longer than to answer a request.
    """

    def __init__(self):
        self._deadlines = {}  # by future, the oldest first
        self._timer = None

    async def wait(self, future, seconds):
        """Return the result of a future.

        Args:
            future: `asyncio.Future`, on which others set a result only if it is not done.
            seconds: Float.

        Raises:
            RequestError: With the code DEADLINE_EXCEEDED if it has no result in time.
        """
        loop = asyncio.get_running_loop()
        self._deadlines[future] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._look)
        try:
            return await future
        finally:
            del self._deadlines[future]

    def _look(self):
        self._timer = None
        loop = asyncio.get_running_loop()
        for future, deadline in self._deadlines.items():
            if deadline > loop.time():
                self._timer = loop.call_at(deadline, self._look)
                break
            if not future.done():
                future.set_exception(timeout_error())
