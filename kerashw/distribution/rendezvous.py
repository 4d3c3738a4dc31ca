"""Exchange messages between all workers before TensorFlow connects them.

TensorFlow blocks the whole process, without output and without a time limit, until all workers are
connected. `all_gather` waits first, on the same addresses, and names the workers that do not answer
within a time limit.

In Kubernetes, the name of a pod may appear after the pod has started. `all_gather` therefore also
waits until all names are known, including that of this worker, which TensorFlow connects to.

Each connection carries the messages of both workers, and a worker sends its own before it reads. A
worker that has all messages has therefore sent its own to all workers, and can return.
"""

import contextlib
import json
import socket
import threading
import time

from kerashw.errors import InputError, WorkerError

EXCHANGE_TIMEOUT = 5  # seconds for one exchange of messages
RETRY_INTERVAL = 0.2  # seconds
MAX_MESSAGE_BYTES = 65_536


def all_gather(addresses, index, message, timeout=60):
    """Send a message to all other workers, and wait for their messages and their names.

    Args:
        addresses: Sequence of strings "host:port", one for each worker.
        index: Integer, the index of this worker. Its port must be free.
        message: Dict that JSON can represent.
        timeout: Float, the longest time to wait in seconds.

    Returns:
        List of the messages of all workers, in the order of the addresses.

    Raises:
        WorkerError: If a worker does not answer, or a name is not known, in time.
        InputError: If this worker cannot listen on its own port.

    Example:
        >>> all_gather(["127.0.0.1:23000"], 0, {"epochs": 3})
        [{'epochs': 3}]
    """
    exchange = _Exchange(addresses, index, message)
    deadline = time.monotonic() + timeout
    with _listen(addresses[index].rpartition(":")[2]) as listener:
        server = threading.Thread(target=exchange.accept_connections, args=(listener,), daemon=True)
        server.start()
        try:
            while True:
                for number in exchange.missing():
                    exchange.connect(number)
                if not (missing := exchange.missing()):
                    break
                if time.monotonic() > deadline:
                    raise _missing_error(exchange, index, missing, timeout)
                time.sleep(RETRY_INTERVAL)
        finally:
            # The port is free for TensorFlow only when no `accept` uses it any more.
            exchange.finished.set()
            server.join()
    return [exchange.messages[number] for number in range(len(addresses))]


class _Exchange:
    """Sends the message of this worker, and collects the messages of all workers."""

    def __init__(self, addresses, index, message):
        self.addresses, self.messages = list(addresses), {index: message}
        self.known = set()  # the indices of the workers whose name this machine knows
        content = {"worker": index, "addresses": self.addresses, "message": message}
        self.line = json.dumps(content).encode() + b"\n"
        self.finished = threading.Event()

    def missing(self):
        """Return the indices of the workers whose message or name is missing."""
        found = self.messages.keys() & self.known
        return [number for number in range(len(self.addresses)) if number not in found]

    def accept_connections(self, listener):
        """Exchange messages over incoming connections until the exchange is finished."""
        listener.settimeout(RETRY_INTERVAL)
        while not self.finished.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:  # also after the timeout
                continue
            self._exchange_over(connection)

    def connect(self, number):
        """Look up the name of a worker, and exchange messages with it if it can be reached."""
        host, _, port = self.addresses[number].rpartition(":")
        host = host.strip("[]")  # around an IPv6 address
        try:
            socket.getaddrinfo(host, port)
            self.known.add(number)
            if number in self.messages:
                return
            connection = socket.create_connection((host, port), timeout=EXCHANGE_TIMEOUT)
        except (OSError, UnicodeError):  # a UnicodeError if the host cannot be a name
            return
        self._exchange_over(connection)

    def _exchange_over(self, connection):
        # Whatever another program answers is ignored. So are the workers of an earlier start, which
        # have other addresses.
        with connection, contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            connection.settimeout(EXCHANGE_TIMEOUT)
            connection.sendall(self.line)
            with connection.makefile("rb") as stream:
                received = json.loads(stream.readline(MAX_MESSAGE_BYTES))
            if received["addresses"] == self.addresses:
                self.messages[received["worker"]] = received["message"]


def _listen(port):
    try:
        # On all interfaces, as TensorFlow does. The name of this worker need not be known yet.
        if socket.has_dualstack_ipv6():
            address = ("", int(port))
            return socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", int(port)))
    except OSError as error:
        raise InputError(
            f"cannot listen on port {port} for the other workers: {error.strerror}. "
            "Choose a free port for this worker in TF_CONFIG"
        ) from error


def _missing_error(exchange, index, missing, timeout):
    def describe(number):
        name = "this worker" if number == index else f"worker {number + 1}"
        unknown = "" if number in exchange.known else ", a name that is not known"
        return f"{name} ({exchange.addresses[number]}{unknown})"

    return WorkerError(
        f"worker {index + 1} of {len(exchange.addresses)} waited {timeout:g} seconds in vain for "
        f"{', '.join(map(describe, missing))}. Start all workers with the same addresses in "
        "TF_CONFIG, and check that they can reach each other"
    )
