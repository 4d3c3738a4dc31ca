"""The server's sockets. They are bound before TensorFlow is imported, so an error comes at once."""

import contextlib
import errno
import socket

from kerashw.errors import ServeError

_REMEDIES = {
    errno.EADDRINUSE: "Stop the program that uses the port, or choose another --{flag}",
    errno.EACCES: "Only the administrator may use this port. Choose a --{flag} above 1023",
}
_HOST_REMEDY = (
    "--host must be an address or the name of this machine, such as 127.0.0.1, or 0.0.0.0 for all "
    "its addresses"
)


@contextlib.contextmanager
def bound_sockets(options, is_shared=False):
    """Reserve the address of the REST API, and that of gRPC unless it is switched off.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        is_shared: Boolean, as of `bound_socket`.

    Yields:
        List of sockets, each of `bound_socket`.

    Raises:
        ServeError: As of `bound_socket`.
    """
    with contextlib.ExitStack() as stack:
        flags = ["rest_api_port"] + (["port"] if options.port else [])
        yield [
            stack.enter_context(bound_socket(options.host, getattr(options, flag), flag, is_shared))
            for flag in flags
        ]


@contextlib.contextmanager
def bound_socket(host, port, flag="rest_api_port", is_shared=False):
    """Reserve an address: bind a socket to it that does not listen yet.

    A client is refused until the server listens. No other process can bind to the address.

    Args:
        host: String, a name or an address.
        port: Integer.
        flag: String, the name of the flag for the port.
        is_shared: Boolean, whether other processes of the same user can bind to the address too, if
            they say so.

    Yields:
        `socket.socket`. Call `release_reservation` before it listens.

    Raises:
        ServeError: If the host is not known, or the address cannot be bound.
    """
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(_bind(host, port, is_shared))
        except (OSError, UnicodeError) as error:  # a UnicodeError if the host cannot be a name
            reason = getattr(error, "strerror", None) or "Name not valid"
            remedy = _REMEDIES.get(getattr(error, "errno", None), _HOST_REMEDY)
            raise ServeError(
                f"Cannot listen on {format_address(host, port)}: {reason}. "
                f"{remedy.format(flag=flag)}"
            ) from None
        yield listener


def share_address(listener):
    """Let other processes of the same user bind to the address of a bound socket too.

    Raises:
        ServeError: If the operating system has no such sockets, as Windows.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ServeError(
            "Workers share a port by SO_REUSEPORT, which this operating system does not have. Use "
            "--workers=1"
        )
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def is_shared(listener):
    """Return 1 if other processes of the same user may bind to the address of a socket, or 0."""
    option = getattr(socket, "SO_REUSEPORT", None)
    return 0 if option is None else listener.getsockopt(socket.SOL_SOCKET, option)


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


def _bind(host, port, is_shared):
    family, kind, number, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, number)
    try:
        if is_shared:
            share_address(listener)
        # Connections of an earlier server that are not quite closed do not block the address.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Without this, two processes can bind to an address on which none listens yet.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except BaseException:
        listener.close()
        raise
    return listener
