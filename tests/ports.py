"""Free ports of this machine."""

import socket


def free_ports(number):
    """Return several free ports, all different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def free_port():
    """Return one free port."""
    (port,) = free_ports(1)
    return port
