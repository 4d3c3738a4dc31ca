"""`python -m kerashw.benchmark`: our speed as a share of what one would otherwise have."""

import argparse
import dataclasses
import importlib
import statistics
import sys
from pathlib import Path

from rich import box
from rich import table as rich_table
from rich.console import Console

from kerashw.console import Parser, check_writable, quiet_start, run_command
from kerashw.errors import InputError
from kerashw.files import write_json

NAME = "python -m kerashw.benchmark"
# The name, which is that of a module of `kerashw.benchmark` → what it measures, in about how long
# on two cores.
TOPICS = {
    "machine": "the machine's rates, and what each epoch takes at them; 15 seconds",
    "startup": "from the command line to the last line, and loading MNIST; 2 minutes",
    "training": "epochs of softmax regression and the MLP; 4 minutes",
    "convnet": "epochs of the ConvNet, in float32 and bfloat16; 10 minutes",
    "growth": "epochs by the number of examples and the batch size; 6 minutes",
    "backprop": "the dual network's gradient; 10 seconds",
    "diagonals": "counting diagonals; 10 seconds",
    "serving": "the server under load; 2 minutes",
    "scaling": "several replicas and workers on this machine; 4 minutes",
}
# What runs where no topic is named.
DEFAULT = ("machine", "startup", "training", "convnet", "backprop", "diagonals")
EXAMPLES = """\
examples:
  python -m kerashw.benchmark
  python -m kerashw.benchmark training convnet --json times.json
  python -m kerashw.benchmark growth --figures pictures
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    options = _parser().parse_args(arguments)
    return run_command(lambda: _benchmark(options), NAME, "Topics that were finished are kept")


def _parser():
    listed = "\n".join(
        f"  {name:10} {what}{'' if name in DEFAULT else ' (only when named)'}"
        for name, what in TOPICS.items()
    )
    parser = Parser(
        prog=NAME,
        description="Time what kerashw does beside the usual ways, turn by turn on this machine. "
        "A ratio below 1 means that kerashw is faster.",
        epilog=f"topics:\n{listed}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="what to time; see below")
    parser.add_argument("--data-dir", metavar="DIR", help="as in python -m kerashw.train")
    parser.add_argument("--json", metavar="FILE", help="write all numbers, times of each round")
    parser.add_argument("--figures", metavar="DIR", help="where growth draws its picture")
    return parser


def _benchmark(options):
    unknown = sorted(set(options.topics) - set(TOPICS))
    if unknown:
        raise InputError(
            f"topics must be one or more of {', '.join(TOPICS)}. Received: {' '.join(unknown)}"
        )
    check_writable("--json", options.json, options.json and Path(options.json).parent)
    chosen = options.topics or DEFAULT
    if "growth" in chosen:  # the only one that draws
        check_writable("--figures", options.figures, options.figures)
    console = Console(width=None if sys.stdout.isatty() else 132)
    with console.status("Starting TensorFlow"), quiet_start():
        from kerashw.benchmark.result_table import Setup
        from kerashw.environment import environment
    where = environment()
    console.print("{cpu}, {cores} cores; ".format(**where["device"]), end="")
    console.print(", ".join(f"{name} {version}" for name, version in where["versions"].items()))
    found = []
    for topic in TOPICS:
        if topic in chosen:
            with console.status(topic) as status:
                setup = Setup(
                    options.data_dir,
                    options.figures and Path(options.figures),
                    lambda doing, status=status, topic=topic: status.update(f"{topic}: {doing}"),
                )
                results = _measure(topic, setup)
            _show(results, console)
            found += results
            if options.json:
                write_json(options.json, where | as_json(found))


def _measure(topic, setup):
    """Return all that a topic finds."""
    with quiet_start():
        module = importlib.import_module(f"kerashw.benchmark.topics.{topic}")
    return list(module.measure(setup))


def _show(results, console):
    """Print what a topic found: its comparisons in one table, its own tables, its remarks."""
    kinds = by_kind(results)
    if kinds["comparisons"]:
        console.print(table(kinds["comparisons"]))
    for own in kinds["tables"]:
        columns = rich_table.Table(title=own.title, title_justify="left", box=box.SIMPLE_HEAD)
        for heading in own.headings:
            columns.add_column(heading, justify="right" if columns.columns else "left")
        for row in own.shown():
            columns.add_row(*row)
        console.print(columns)
    for remark in kinds["remarks"]:
        console.print(remark, markup=False, highlight=False)


def by_kind(results):
    """Sort what the topics found.

    Args:
        results: List of `Comparison`, `Table` and strings.

    Returns:
        Dict of lists: `comparisons`, `tables`, `remarks`.
    """
    from kerashw.benchmark.alternating_timing import Comparison
    from kerashw.benchmark.result_table import Table

    kinds = {"comparisons": Comparison, "tables": Table, "remarks": str}
    return {name: [r for r in results if isinstance(r, kind)] for name, kind in kinds.items()}


def as_json(results):
    """Return what the topics found as dicts and lists, by kind."""
    kinds = by_kind(results)
    return {
        "comparisons": [dataclasses.asdict(one) for one in kinds["comparisons"]],
        "tables": [
            {"title": one.title, "headings": one.headings, "rows": one.rows}
            for one in kinds["tables"]
        ],
        "remarks": kinds["remarks"],
    }


def table(comparisons):
    """Return the comparisons as a `rich.table.Table`."""
    columns = rich_table.Table(box=box.SIMPLE_HEAD)
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
