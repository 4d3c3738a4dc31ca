"""`python -m kerashw.serve`: serve models over TensorFlow Serving's REST API."""

import sys

from kerashw.console import quiet_import, run_command
from kerashw.errors import ServeError
from kerashw.serve.flags import NAME, parse


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

        # Before the slow import, so that an error is reported at once.
        config = read_server_config(options)
        with quiet_import():
            from kerashw.serve import server
    except ModuleNotFoundError as error:
        raise ServeError(f"{error.name} is missing. Run: pip install '.[serve]'") from None
    server.serve(options, config)


if __name__ == "__main__":
    sys.exit(main())
