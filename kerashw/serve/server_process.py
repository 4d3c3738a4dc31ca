"""Serves in this process: binds the addresses first, and imports TensorFlow then."""

import logging
import os
import sys

from kerashw.console import quiet_import
from kerashw.errors import ServeError
from kerashw.serve.listening_socket import bound_sockets


def serve_in_this_process(options, config, announce, is_shared=False):
    """Serve models until SIGTERM or SIGINT.

    Args:
        options: `argparse.Namespace` of `kerashw.serve.flags.parse`.
        config: `kerashw.serve.server_config.ServerConfig`.
        announce: Function that is called when the models are served, with a line that names the
            models and the addresses.
        is_shared: Boolean, whether other processes of this command serve the same addresses.

    Raises:
        ServeError: If the server cannot start.
    """
    set_up_log()
    # TensorFlow imports Keras 3 with itself, which takes a quarter of the time. No model needs it.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    # Before the slow import, so that an error is reported at once.
    with bound_sockets(options, is_shared) as sockets:
        try:
            with quiet_import():
                from kerashw.serve import server
        except ModuleNotFoundError as error:
            raise missing_module(error) from None
        server.serve(options, config, sockets, announce)


def set_up_log():
    """Let the server's log go to the standard error, with times."""
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING
    )
    logging.getLogger("kerashw.serve").setLevel(logging.INFO)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def missing_module(error):
    """Return the error for a module of the extra `serve` that is not installed."""
    return ServeError(f"{error.name} is missing. Run: pip install '.[serve]'")


def print_line(line):
    """Print a line at once, also to a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
