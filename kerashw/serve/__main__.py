"""`python -m kerashw.serve`: serve models over TensorFlow Serving's REST and gRPC APIs."""

import kerashw.startup  # noqa: F401 - keeps files of the working folder from hiding modules

# isort: split
import sys

from kerashw.console import run_command
from kerashw.serve.flags import NAME, parse
from kerashw.serve.server_process import missing_module, print_line, serve_in_this_process
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
        from kerashw.serve.worker_processes import run_workers, worker_count
    except ModuleNotFoundError as error:
        raise missing_module(error) from None
    config = read_server_config(options)
    count = worker_count(options.workers)
    if count > 1:
        run_workers(options, config, count)
    else:
        serve_in_this_process(options, config, print_line)


if __name__ == "__main__":
    run_main(main, NAME)
