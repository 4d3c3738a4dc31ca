"""The exceptions that kerashw raises.

```
KerashwError
├── InputError      an argument has a wrong type, shape or value (also a ValueError)
├── DataError       a data set is missing, damaged, of the wrong shape or not reachable
├── RunError        a run's folder cannot be used or contains something else
├── WorkerError     another worker of a distributed run cannot be reached or was lost
├── ServeError      the server cannot start: a model, its configuration or its port
├── ClientError     a request to a server failed
└── BenchmarkError  a benchmarked program failed
```

A command prints the message of a `KerashwError` as one line. The exit code is 75 for a
`WorkerError` ("temporary failure": the command can be started again) and 2 for all others. The
message says what is wrong, what is expected and what to do.
"""


class KerashwError(Exception):
    """The base class of all exceptions of kerashw."""


class InputError(KerashwError, ValueError):
    """An argument has a wrong type, shape or value."""


class DataError(KerashwError):
    """A data set is missing, damaged, of the wrong shape or not reachable."""


class RunError(KerashwError):
    """A run's folder cannot be used or contains something else."""


class WorkerError(KerashwError):
    """Another worker of a distributed run cannot be reached or was lost."""


class ServeError(KerashwError):
    """The server cannot start: a model, its configuration or its port."""


class ClientError(KerashwError):
    """A request to a server failed.

    Attributes:
        status: Integer, the HTTP status; `None` if there was no response.
    """

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class BenchmarkError(KerashwError):
    """A benchmarked program failed, so there is no time to report."""
