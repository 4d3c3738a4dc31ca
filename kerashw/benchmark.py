"""`python -m kerashw.benchmark`: our speed as a share of what one would otherwise have."""

import argparse
import dataclasses
import itertools
import statistics
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from kerashw.console import Parser, check_writable, quiet_start, run_command
from kerashw.errors import InputError
from kerashw.files import write_json

NAME = "python -m kerashw.benchmark"
TOPICS = ("training", "backprop", "diagonals")
EXAMPLES = """\
examples:
  python -m kerashw.benchmark
  python -m kerashw.benchmark backprop --json backprop.json
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    options = _parser().parse_args(arguments)
    return run_command(lambda: _benchmark(options), NAME)


def _parser():
    parser = Parser(
        prog=NAME,
        description="Time what kerashw does beside the usual ways, turn by turn on this machine. "
        "A ratio below 1 means that kerashw is faster.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "topics",
        nargs="*",
        metavar="TOPIC",
        help=f"what to time: {', '.join(TOPICS)} (default: all; training takes four minutes)",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="as in python -m kerashw.train")
    parser.add_argument("--json", metavar="FILE", help="write every single time, in seconds")
    return parser


def _benchmark(options):
    unknown = sorted(set(options.topics) - set(TOPICS))
    if unknown:
        raise InputError(
            f"topics must be one or more of {', '.join(TOPICS)}. Received: {' '.join(unknown)}"
        )
    check_writable("--json", options.json, options.json and Path(options.json).parent)
    console = Console(width=None if sys.stdout.isatty() else 120)
    with console.status("Starting TensorFlow"), quiet_start():
        from kerashw.benchmarks.backprop import compare_gradients
        from kerashw.benchmarks.diagonals import compare_counting
        from kerashw.benchmarks.training import compare_loading, compare_training
        from kerashw.environment import environment
    jobs = {
        "training": [compare_loading(options.data_dir), compare_training(options.data_dir)],
        "backprop": [compare_gradients()],
        "diagonals": [compare_counting()],
    }
    chosen = [job for topic in TOPICS if topic in (options.topics or TOPICS) for job in jobs[topic]]
    comparisons = []
    with console.status("Timing") as status:
        for comparison in itertools.chain(*chosen):
            comparisons.append(comparison)
            status.update(f"Timing; done: {', '.join(done.job for done in comparisons)}")
    where = environment()
    console.print("{cpu}, {cores} cores; ".format(**where["device"]), end="")
    console.print(", ".join(f"{name} {version}" for name, version in where["versions"].items()))
    console.print(table(comparisons))
    if options.json:
        rows = [dataclasses.asdict(comparison) for comparison in comparisons]
        write_json(options.json, where | {"comparisons": rows})


def table(comparisons):
    """Return the comparisons as a `rich.table.Table`."""
    columns = Table(box=box.SIMPLE_HEAD)
    columns.add_column("job", no_wrap=True)
    for heading in ("kerashw\nms", "peer\nms", "ratio", "smallest –\nlargest"):
        columns.add_column(heading, justify="right", no_wrap=True)
    columns.add_column("peer")
    columns.add_column("kerashw's result, the peer's")
    for comparison in comparisons:
        columns.add_row(
            comparison.job,
            f"{1000 * statistics.median(comparison.ours):,.1f}",
            f"{1000 * statistics.median(comparison.theirs):,.1f}",
            f"{comparison.ratio:.2f}",
            f"{comparison.ratios[0]:.2f} – {comparison.ratios[-1]:.2f}",
            comparison.peer,
            comparison.quality,
        )
    return columns


if __name__ == "__main__":
    sys.exit(main())
