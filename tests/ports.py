"""Ports of this machine that nothing listens on."""

import socket


def free_ports(number):
    """Several at once, so that no two are the same."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def free_port():
    (port,) = free_ports(1)
    return port
