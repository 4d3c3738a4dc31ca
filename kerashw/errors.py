"""What can go wrong, as one tree of exceptions.

```
KerashwError
├── InputError      an argument is not what was expected (also a ValueError)
├── DataError       a data set is missing, damaged, of the wrong shape, or out of reach
├── RunError        a run's directory cannot be used, or holds something else
├── WorkerError     another machine of a distributed run is out of reach, or was lost
├── ServeError      the server cannot start: a model, its configuration, or its port
├── ClientError     a server did not answer as asked
└── BenchmarkError  what was to be timed failed
```

A command prints the message of a `KerashwError` as one line and ends with exit code 2, after a
`WorkerError` with 75 ("temporary failure": start it again). So a message says what was wrong, what
was expected, and what to do about it.
"""


class KerashwError(Exception):
    """The root of all exceptions that kerashw raises on purpose."""


class InputError(KerashwError, ValueError):
    """An argument is not what was expected."""


class DataError(KerashwError):
    """A data set is missing, damaged, of the wrong shape, or out of reach."""


class RunError(KerashwError):
    """A run's directory cannot be used, or holds something else."""


class WorkerError(KerashwError):
    """Another machine of a distributed run is out of reach, or was lost."""


class ServeError(KerashwError):
    """The server cannot start: a model, its configuration, or its port."""


class ClientError(KerashwError):
    """A server did not answer as asked.

    Attributes:
        status: Integer, the HTTP status; None if there was no answer.
    """

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class BenchmarkError(KerashwError):
    """What was to be timed failed, so that there is no time to tell."""
