"""Exchange messages between all workers before TensorFlow connects them.

TensorFlow blocks the whole process, without output and without a time limit, until all workers are
connected. `all_gather` waits first, on the same addresses, and names the workers that do not answer
within a time limit.

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
    """Send a message to all other workers, and wait for their messages.

    Args:
        addresses: Sequence of strings "host:port", one for each worker.
        index: Integer, the index of this worker. Its port must be free.
        message: Dict that JSON can represent.
        timeout: Float, the longest time to wait in seconds.

    Returns:
        List of the messages of all workers, in the order of the addresses.

    Raises:
        WorkerError: If a worker does not answer in time.
        InputError: If this worker cannot listen on its own port.

    Example:
        >>> all_gather(["127.0.0.1:23000"], 0, {"epochs": 3})
        [{'epochs': 3}]
    """
    exchange = _Exchange(addresses, index, message)
    deadline = time.monotonic() + timeout
    with _listen(addresses[index]) as listener:
        server = threading.Thread(target=exchange.accept_connections, args=(listener,), daemon=True)
        server.start()
        try:
            while missing := exchange.missing():
                if time.monotonic() > deadline:
                    raise _missing_error(addresses, index, missing, timeout)
                for number in missing:
                    exchange.connect(addresses[number])
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
        content = {"worker": index, "addresses": self.addresses, "message": message}
        self.line = json.dumps(content).encode() + b"\n"
        self.finished = threading.Event()

    def missing(self):
        """Return the indices of the workers whose message is missing."""
        return [number for number in range(len(self.addresses)) if number not in self.messages]

    def accept_connections(self, listener):
        """Exchange messages over incoming connections until the exchange is finished."""
        listener.settimeout(RETRY_INTERVAL)
        while not self.finished.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:  # also after the timeout
                continue
            self._exchange_over(connection)

    def connect(self, address):
        """Exchange messages with another worker if it can be reached."""
        host, _, port = address.rpartition(":")
        try:
            connection = socket.create_connection((host, int(port)), timeout=EXCHANGE_TIMEOUT)
        except OSError:
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


def _listen(address):
    host, _, port = address.rpartition(":")
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        # On all interfaces, as TensorFlow does.
        return socket.create_server(("", int(port)), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen on port {port} for the other workers: {error.strerror}. "
            "Choose a free port for this worker in TF_CONFIG"
        ) from error


def _missing_error(addresses, index, missing, timeout):
    names = ", ".join(f"worker {number + 1} ({addresses[number]})" for number in missing)
    return WorkerError(
        f"worker {index + 1} of {len(addresses)} waited {timeout:g} seconds in vain for {names}. "
        "Start all workers with the same addresses in TF_CONFIG, and check that they can reach "
        "each other"
    )
