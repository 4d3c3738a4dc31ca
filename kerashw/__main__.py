"""`python -m kerashw`: list the commands and the main packages, on one screen."""

import kerashw.startup

# isort: split
import argparse
import sys

import kerashw
from kerashw.console import Parser
from kerashw.streams import run_main

NAME = "python -m kerashw"
# A description of each command.
COMMANDS = {
    "train": "train, evaluate, draw and export the models",
    "predict": "print what a trained model answers to pictures",
    "evaluate": "test a trained model on a data set",
    "verify": "test each claim of the homework",
    "benchmark": "compare the speed with that of other libraries",
    "serve": "serve models over TensorFlow Serving's REST and gRPC APIs",
}
SCREEN = f"""\
kerashw {kerashw.__version__}: a deep-learning homework, from theory through training to serving

commands (each with --help):
{{commands}}

start here:
  python -m kerashw.train --epochs 3 --train-examples 5000 --output runs/try
  python -m kerashw.verify --claim 1 2 3

from Python (help(kerashw) lists the rest):
  kerashw.backprop    Question 1: networks, their derivatives and duals
  kerashw.hypotheses  Question 2: two equal hypothesis spaces
  kerashw.layers      Questions 2 and 3: FactoredDense, DiagonalCount; faster Dense, Dropout
  kerashw.models      Questions 2 to 4: the Keras models
  kerashw.optimizers  Adadelta as in its paper, and Keras' optimizers for embeddings
  kerashw.fitting     fit, like Model.fit, with many steps in each call of a graph
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default those of the process.

    Returns:
        Integer, the exit code.
    """
    # There are no options to choose from, so --help prints the screen.
    parser = Parser(NAME, usage=argparse.SUPPRESS, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="version", version=f"kerashw {kerashw.__version__}")
    _, unknown = parser.parse_known_args(arguments)
    if unknown:
        commands = ", ".join(f"{NAME}.{command}" for command in COMMANDS)
        parser.error(f"unknown argument {unknown[0]!r}. The commands are {commands}")
    lines = (f"  {f'{NAME}.{name}':29}{description}" for name, description in COMMANDS.items())
    sys.stdout.write(SCREEN.format(commands="\n".join(lines)))
    return 0


if __name__ == "__main__":
    run_main(main, NAME)
