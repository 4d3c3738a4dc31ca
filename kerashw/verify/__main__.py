"""`python -m kerashw.verify`: the homework's claims, each measured and judged."""

import argparse
import json
import math
import shlex
import sys
from pathlib import Path

from rich.console import Console

from kerashw.console import Parser, check_writable, quiet_start, run_command
from kerashw.files import written_whole

NAME = "python -m kerashw.verify"
INTERRUPTED = "Not all claims were tested"
EXAMPLES = """\
examples:
  python -m kerashw.verify
  python -m kerashw.verify --claim 1 2 3 --figures pictures
  python -m kerashw.verify --seeds 5 --json claims.json
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code: 0 if every verdict is an expected one, 1 if not, 2 after an error.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    command = shlex.join([*NAME.split(), *arguments])
    return run_command(lambda: _verify(options, command), NAME, INTERRUPTED)


def _parser():
    parser = Parser(
        prog=NAME,
        description="Test the homework's claims: measure each one, and judge it. The exit code is "
        "0 if every verdict is an expected one, 1 if not.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--claim",
        nargs="+",
        type=int,
        metavar="N",
        help="the claims to test, 1 to 13 (default: all)",
    )
    add(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="train the models of claims 10 to 13 from the seeds 0 to N - 1 (default: 1)",
    )
    add("--json", metavar="FILE", help="write the table and the raw numbers to this file")
    add("--figures", metavar="DIR", help="draw the claims that have a picture into this folder")
    add(
        "--data-dir",
        metavar="DIR",
        help="where tensorflow-datasets keeps its data (default: ~/tensorflow_datasets)",
    )
    add("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _verify(options, command):
    # A file or a pipe has no width that a table would have to be squeezed into.
    console = Console(quiet=options.quiet, width=None if sys.stdout.isatty() else 110)
    with console.status("Starting TensorFlow"), quiet_start():
        from kerashw.verify import claims
        from kerashw.verify.verdict_table import ClaimDisplay
    chosen = claims.chosen(options.claim)
    display = ClaimDisplay(console)
    lab = claims.Lab(options.seeds, options.data_dir, display)
    check_writable("--figures", options.figures, options.figures)
    check_writable("--json", options.json, options.json and Path(options.json).parent)
    with display:
        findings = []
        for claim in chosen:
            display.testing(claim)
            findings.append(claim.tested(lab))
            display.tested(findings[-1])
    if options.json:
        _write_json(options.json, command, lab, findings)
    if options.figures:
        display.drawn(_draw(Path(options.figures), findings))
    display.summary(findings)
    return 0 if all(finding.as_expected for finding in findings) else 1


def _write_json(path, command, lab, findings):
    from kerashw.environment import environment

    content = {
        "command": command,
        "seeds": list(lab.seeds),
        **environment(),
        "claims": [finding.row() for finding in findings],
        "trainings": lab.trained,
    }
    with written_whole(path) as aside:
        text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
        aside.write_text(text + "\n", encoding="utf-8")


def _finite(value):
    """Replace the numbers that JSON does not have by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _draw(folder, findings):
    """Draw the claims' pictures, each once; return the paths of the files."""
    from kerashw.plots.style import DOTS_PER_INCH

    pictures = {}
    for finding in findings:
        pictures |= finding.evidence.pictures
    for name, draw in pictures.items():
        with written_whole(folder / f"{name}.png") as aside:
            draw().savefig(aside, dpi=DOTS_PER_INCH)
    return [folder / f"{name}.png" for name in pictures]


if __name__ == "__main__":
    sys.exit(main())
