"""Free ports of 127.0.0.1.

A port that the system chooses may become the local port of any connection before a server listens
on it. So these are below the ports that Linux chooses, and each process of pytest-xdist has others.
"""

import itertools
import os
import random
import socket

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
FIRST, NUMBER = 10_000 + 2_000 * (WORKER % 10), 2_000
_offsets = itertools.count(random.SystemRandom().randrange(NUMBER))


def free_ports(number):
    """Return several free ports, all different."""
    return [free_port() for _ in range(number)]


def free_port():
    """Return a free port that was not returned before."""
    while True:
        port = FIRST + next(_offsets) % NUMBER
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
