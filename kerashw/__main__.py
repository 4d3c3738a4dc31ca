"""`python -m kerashw`: what there is, in one screen."""

import argparse
import sys

import kerashw
from kerashw.console import Parser

NAME = "python -m kerashw"
# The command → what it does.
COMMANDS = {
    "train": "train, test, draw and export the models",
    "verify": "test the homework's claims, each measured and judged",
    "benchmark": "time what kerashw does beside the usual ways",
    "serve": "answer TensorFlow Serving's REST API",
}
SCREEN = f"""\
kerashw {kerashw.__version__}: one deep-learning homework, from theory through training to serving

commands (each with --help):
{{commands}}

start here:
  python -m kerashw.train --epochs 1 --train-examples 5000 --output runs/try
  python -m kerashw.verify --claim 1 2 3

from Python (help(kerashw) lists the rest):
  kerashw.backprop    Question 1: networks, their derivatives and duals
  kerashw.hypotheses  Question 2: two equal hypothesis spaces
  kerashw.layers      Questions 2 and 3: FactoredDense, DiagonalCount; faster Dense, Dropout
  kerashw.models      Questions 2 to 4: the Keras models
  kerashw.optimizers  Adadelta as in its paper
  kerashw.fitting     fit, as Model.fit, many steps in one call of one graph
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    # Its help is the screen: there is nothing else to choose from.
    parser = Parser(prog=NAME, usage=argparse.SUPPRESS, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="version", version=f"kerashw {kerashw.__version__}")
    _, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands = ", ".join(f"{NAME}.{command}" for command in COMMANDS)
        parser.error(f"there is no {unknown[0]!r}. The commands are {commands}")
    lines = (f"  {f'{NAME}.{name}':29}{what}" for name, what in COMMANDS.items())
    sys.stdout.write(SCREEN.format(commands="\n".join(lines)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
