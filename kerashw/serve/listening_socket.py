"""The server's socket. It is bound before TensorFlow is imported, so an error comes at once."""

import contextlib
import errno
import socket

from kerashw.errors import ServeError

_REMEDIES = {
    errno.EADDRINUSE: "Stop the program that uses the port, or choose another --rest_api_port",
    errno.EACCES: "Only the administrator may use this port. Choose a --rest_api_port above 1023",
}
_HOST_REMEDY = (
    "--host must be an address or the name of this machine, such as 127.0.0.1, or 0.0.0.0 for all "
    "its addresses"
)


@contextlib.contextmanager
def bound_socket(host, port):
    """Reserve an address: bind a socket to it that does not listen yet.

    A client is refused until the server listens. No other process can bind to the address.

    Args:
        host: String, a name or an address.
        port: Integer.

    Yields:
        `socket.socket`. Call `release_reservation` before it listens.

    Raises:
        ServeError: If the host is not known, or the address cannot be bound.
    """
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(_bind(host, port))
        except (OSError, UnicodeError) as error:  # a UnicodeError if the host cannot be a name
            reason = getattr(error, "strerror", None) or "Name not valid"
            remedy = _REMEDIES.get(getattr(error, "errno", None), _HOST_REMEDY)
            raise ServeError(
                f"Cannot listen on {format_address(host, port)}: {reason}. {remedy}"
            ) from None
        yield listener


def release_reservation(listener):
    """Prepare a socket of `bound_socket` to listen.

    The connections of a listening socket inherit SO_REUSEADDR. With it, another server can bind to
    the address as soon as this one has stopped.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def format_address(host, port):
    """Return a host and a port as they are in a URL.

    Example:
        >>> format_address("::", 8501)
        '[::]:8501'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind(host, port):
    family, kind, number, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, number)
    try:
        # Connections of an earlier server that are not quite closed do not block the address.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Without this, two processes can bind to an address on which none listens yet.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except BaseException:
        listener.close()
        raise
    return listener
