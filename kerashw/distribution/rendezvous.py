"""Workers meet before TensorFlow connects them, so that a missing one is named and not waited for.

TensorFlow's own start blocks the whole process until all workers are there, without a word and
without a limit that one could set. Here each worker greets every other one, on the addresses that
TensorFlow is about to use, and is answered, or says within a time limit who did not answer. A
greeting is an exchange: of two workers either both have heard the other, or neither. So each may
leave as soon as it has heard all.
"""

import contextlib
import json
import socket
import threading
import time

from kerashw.errors import InputError, WorkerError

# How long one greeting may take, and how soon an unanswered one is tried again: seconds.
PATIENCE = 5
PAUSE = 0.2
LONGEST = 65_536


def meet(addresses, index, told, timeout=60):
    """Wait until every worker has greeted every other one.

    Args:
        addresses: Sequence of strings "host:port", one a worker.
        index: Integer, this worker's place in it; it listens on that port meanwhile.
        told: Dict that JSON can hold, to tell the others.
        timeout: Seconds to wait at most.

    Returns:
        List of what each worker told, in their order.

    Raises:
        WorkerError: If a worker did not answer in time.
        InputError: If this worker cannot listen on its own port.

    Example:
        >>> meet(["127.0.0.1:23000"], 0, {"epochs": 3})
        [{'epochs': 3}]
    """
    heard = {index: told}
    greeting = json.dumps({"worker": index, "of": list(addresses), "told": told}).encode() + b"\n"
    deadline = time.monotonic() + timeout
    with _listening(addresses[index]) as listener:
        answering = threading.Thread(
            target=_answer, args=(listener, greeting, addresses, heard), daemon=True
        )
        answering.start()
        try:
            while missing := sorted(set(range(len(addresses))) - heard.keys()):
                if time.monotonic() > deadline:
                    raise _missing(addresses, index, missing, timeout)
                for number in missing:
                    _greet(addresses[number], greeting, addresses, heard)
                time.sleep(PAUSE)
        finally:
            # The port is free again when no accept holds it any more.
            with contextlib.suppress(OSError):  # macOS refuses it, and needs no such word
                listener.shutdown(socket.SHUT_RDWR)
            answering.join()
    return [heard[number] for number in range(len(addresses))]


def _listening(address):
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


def _answer(listener, greeting, addresses, heard):
    """Answer greetings until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        _exchange(connection, greeting, addresses, heard)


def _greet(address, greeting, addresses, heard):
    host, _, port = address.rpartition(":")
    try:
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    except OSError:
        return
    _exchange(connection, greeting, addresses, heard)


def _exchange(connection, greeting, addresses, heard):
    """Send a greeting, and note the other's if it is one."""
    # What else may be there: another program, or a worker of an earlier start that is going down.
    with connection, contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        connection.settimeout(PATIENCE)
        connection.sendall(greeting)
        with connection.makefile("rb") as stream:
            other = json.loads(stream.readline(LONGEST))
        if other["of"] == list(addresses):
            heard[other["worker"]] = other["told"]


def _missing(addresses, index, missing, timeout):
    names = ", ".join(f"worker {number + 1} ({addresses[number]})" for number in missing)
    return WorkerError(
        f"worker {index + 1} of {len(addresses)} waited {timeout:g} seconds in vain for {names}. "
        "Start all workers with the same addresses in TF_CONFIG, and let them reach each other"
    )
