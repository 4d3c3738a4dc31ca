"""`python -m kerashw.serve`: serve models over TensorFlow Serving's REST API."""

import kerashw.startup  # noqa: F401 - keeps files of the working folder from hiding modules

# isort: split
import os
import sys

from kerashw.console import quiet_import, run_command
from kerashw.errors import ServeError
from kerashw.serve.flags import NAME, parse
from kerashw.serve.listening_socket import bound_socket
from kerashw.streams import run_main


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; `None` takes them from `sys.argv`.

    Returns:
        Integer, the exit code.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    return run_command(lambda: _serve(options), NAME, "Nothing was served")


def _serve(options):
    try:
        from kerashw.serve.server_config import read_server_config
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    # Both before the slow import, so that errors are reported at once.
    config = read_server_config(options)
    # TensorFlow imports Keras 3 with itself, which takes a quarter of the time. No model needs it.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    with bound_socket(options.host, options.rest_api_port) as listener:
        try:
            with quiet_import():
                from kerashw.serve import server
        except ModuleNotFoundError as error:
            raise _missing(error) from None
        server.serve(options, config, listener)


def _missing(error):
    return ServeError(f"{error.name} is missing. Run: pip install '.[serve]'")


if __name__ == "__main__":
    run_main(main, NAME)
