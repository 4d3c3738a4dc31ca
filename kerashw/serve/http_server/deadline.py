"""Time limits that are set and cleared with each request."""


class Deadline:
    """A time limit. It is cheap to set: the timer of an earlier limit goes on, and looks again.

    Args:
        loop: The running event loop.
    """

    def __init__(self, loop):
        self._loop = loop
        self._action = self._timer = None
        self._time = self._timer_time = 0.0

    def set(self, seconds, action):
        """Call an action after some time, unless the limit is set again or cleared.

        Args:
            seconds: Float.
            action: Function without arguments.
        """
        self._time, self._action = self._loop.time() + seconds, action
        if self._timer is None or self._time < self._timer_time:
            self._cancel_timer()
            self._start_timer()

    def clear(self):
        """Remove the limit."""
        self._action = None

    def cancel(self):
        """Remove the limit and its timer."""
        self._action = None
        self._cancel_timer()

    def _cancel_timer(self):
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _start_timer(self):
        self._timer_time = self._time
        self._timer = self._loop.call_at(self._time, self._look)

    def _look(self):
        self._timer = None
        if self._action is None:
            return
        if self._time > self._timer_time:
            self._start_timer()
            return
        action, self._action = self._action, None
        action()
