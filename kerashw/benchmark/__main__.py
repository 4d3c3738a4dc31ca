"""`python -m kerashw.benchmark`: compare the speed of kerashw with that of other libraries."""

from kerashw.startup import use_tensorflow

# isort: split
import os
from pathlib import Path

from kerashw.benchmark.topic_runner import DEFAULT_TOPICS, TOPICS, Setup, run_topics
from kerashw.console import (
    Parser,
    add_data_dir_option,
    check_writable,
    create_console,
    run_command,
)
from kerashw.errors import InputError
from kerashw.streams import run_main

NAME = "python -m kerashw.benchmark"
EXAMPLES = """\
examples:
  python -m kerashw.benchmark
  python -m kerashw.benchmark training convnet --json times.json
  python -m kerashw.benchmark growth --figures pictures
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the arguments of the process.

    Returns:
        Integer, the exit code.
    """
    options = _parser().parse_args(arguments)
    hint = "Results of finished topics are kept"
    needs_reader = not (options.json or options.figures)
    return run_command(lambda: _benchmark(options), NAME, hint, needs_reader)


def _parser():
    topics = "\n".join(
        f"  {name:10} {description}{'' if name in DEFAULT_TOPICS else ' (only if named)'}"
        for name, description in TOPICS.items()
    )
    parser = Parser(
        prog=NAME,
        description="Compare the speed of kerashw with that of other libraries on this machine, in "
        "alternating rounds. A ratio below 1 means that kerashw is faster.",
        epilog=f"topics:\n{topics}\n\n{EXAMPLES}",
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="what to measure; see below")
    add_data_dir_option(parser)
    parser.add_argument(
        "--json",
        type=os.path.expanduser,
        metavar="FILE",
        help="write all results, with the times of each round",
    )
    parser.add_argument(
        "--figures",
        type=os.path.expanduser,
        metavar="DIR",
        help="folder for the figures of growth, photos and streaming",
    )
    return parser


def _benchmark(options):
    unknown = sorted(set(options.topics) - set(TOPICS))
    if unknown:
        raise InputError(
            f"topics must be one or more of {', '.join(TOPICS)}. Received: {' '.join(unknown)}"
        )
    topics = options.topics or DEFAULT_TOPICS
    check_writable("--json", options.json)
    if {"growth", "photos", "streaming"} & set(topics):  # the topics that draw
        check_writable("--figures", options.figures, is_folder=True)
    use_tensorflow()
    setup = Setup(options.data_dir, options.figures and Path(options.figures))
    run_topics(topics, setup, create_console(width=132), options.json)


if __name__ == "__main__":
    run_main(main, NAME)
