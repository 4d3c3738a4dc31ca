"""`python -m kerashw.verify`: test the claims of the homework, and print a table of verdicts."""

from kerashw.startup import import_keras, use_tensorflow

# isort: split
import argparse
import math
import os
import shlex
import sys
from pathlib import Path

from kerashw.console import (
    Parser,
    add_data_dir_option,
    add_quiet_option,
    check_writable,
    create_console,
    quiet_import,
    run_command,
    show_status,
)
from kerashw.files import atomic_write, write_json
from kerashw.streams import run_main

NAME = "python -m kerashw.verify"
HINT = "Not all claims were tested"
EXAMPLES = """\
examples:
  python -m kerashw.verify
  python -m kerashw.verify --claim 1 2 3 --figures pictures
  python -m kerashw.verify --seeds 5 --json claims.json
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default those of the process.

    Returns:
        Integer, the exit code: 0 if every verdict is an expected one, 1 if not, 2 after an error.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    command = shlex.join([*NAME.split(), *arguments])
    needs_reader = not (options.json or options.figures)
    return run_command(lambda: _verify(options, command), NAME, HINT, needs_reader)


def _parser():
    parser = Parser(
        NAME,
        description="Test the claims of the homework: measure each one, and print the verdict. The "
        "exit code is 0 if every verdict is an expected one, 1 if not.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "--claim",
        nargs="+",
        type=int,
        choices=range(1, 14),
        metavar="N",
        help="the claims to test, 1 to 13 (default: all)",
    )
    add(
        "--seeds",
        type=_seeds,
        default=1,
        metavar="N",
        help="train the models of claims 10 to 13 from each of the N seeds 0 to N - 1 (default: 1)",
    )
    path = {"type": os.path.expanduser}  # the shell leaves the ~ of --json=~/file as it is
    add("--json", metavar="FILE", **path, help="write the table and the raw numbers to this file")
    add(
        "--figures",
        metavar="DIR",
        **path,
        help="draw the claims that have a picture into this folder",
    )
    add_data_dir_option(parser)
    add_quiet_option(parser)
    return parser


def _seeds(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of at least 1. Received: {text!r}"
        )
    return int(text)


def _verify(options, command):
    console = create_console(options.quiet)
    use_tensorflow()
    check_writable("--figures", options.figures, is_folder=True)
    check_writable("--json", options.json)
    with show_status(console, "Starting TensorFlow"), quiet_import():
        import_keras()
        from kerashw.verify.claims import TrainedModels, select_claims
        from kerashw.verify.verdict_table import VerdictTable
    claims = select_claims(options.claim)
    table = VerdictTable(console)
    trained_models = TrainedModels(options.seeds, options.data_dir, table)
    with table:
        results = []
        for claim in claims:
            table.show_claim(claim)
            results.append(claim.test(trained_models))
            table.show_result(results[-1])
    if options.json:
        _write_json(options.json, command, trained_models, results)
    if options.figures:
        table.show_pictures(_draw(Path(options.figures), results))
    table.show_summary(results)
    return 0 if all(result.as_expected for result in results) else 1


def _write_json(path, command, trained_models, results):
    from kerashw.environment import environment

    content = {
        "command": command,
        "seeds": list(trained_models.seeds),
        **environment(),
        "claims": [result.row() for result in results],
        "trainings": trained_models.finished,
    }
    write_json(path, _replace_non_finite(content))


def _replace_non_finite(value):
    """Replace NaN and infinity, which JSON does not have, with `None`."""
    if isinstance(value, dict):
        return {key: _replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _draw(folder, results):
    """Draw each picture of the claims once; return the paths of the files."""
    from kerashw.plots.style import DOTS_PER_INCH

    pictures = {}
    for result in results:
        pictures |= result.evidence.pictures
    for name, draw in pictures.items():
        with atomic_write(folder / f"{name}.png") as path:
            draw().savefig(path, dpi=DOTS_PER_INCH)
    return [folder / f"{name}.png" for name in pictures]


if __name__ == "__main__":
    run_main(main, NAME)
