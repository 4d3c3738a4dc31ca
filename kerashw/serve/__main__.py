"""`python -m kerashw.serve`: TensorFlow Serving's REST API, with pip alone."""

import sys

from kerashw.console import quiet_start, run_command
from kerashw.errors import ServeError
from kerashw.serve.flags import NAME, parse


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    return run_command(lambda: _serve(options), NAME, "Nothing was served")


def _serve(options):
    try:
        from kerashw.serve.startup_plan import read_plan

        plan = read_plan(options)  # mistakes in it are told at once
        with quiet_start():
            from kerashw.serve import server
    except ModuleNotFoundError as error:
        raise ServeError(f"{error.name} is missing. Run: pip install '.[serve]'") from None
    server.serve(options, plan)


if __name__ == "__main__":
    sys.exit(main())
