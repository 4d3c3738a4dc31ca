"""`python -m kerashw.predict`: print what a trained model answers to pictures."""

from kerashw.startup import import_keras, use_tensorflow

# isort: split
import sys
from pathlib import Path

from kerashw.console import Parser, create_console, quiet_import, run_command, show_status
from kerashw.errors import DataError
from kerashw.predict.model_search import find_model
from kerashw.streams import EXIT_ERROR, print_error, run_main
from kerashw.tables import ResultTable

NAME = "python -m kerashw.predict"
EXAMPLES = """\
examples:
  python -m kerashw.predict runs/mnist/convnet digits/*.png
  python -m kerashw.predict runs/pictures/convnet/model.keras cat.jpg
  python -m kerashw.predict exports/convnet/2 cat.jpg

exit codes:
  0 done; 2 an error, or a file that is damaged or no picture: it is named, and the others are
  answered; 130 interrupted
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default those of the process.

    Returns:
        Integer, the exit code.
    """
    options = _parser().parse_args(arguments)
    return run_command(lambda: _predict(options), NAME, hint="", needs_reader=True)


def _parser():
    parser = Parser(
        prog=NAME,
        description="Print what a trained model answers to pictures: the most probable class, its "
        "probability, and the second best. The pictures are prepared as the server does it.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="the folder of a model in a run, its model.keras, or a folder of a SavedModel",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures: PNG, JPEG, GIF or BMP files"
    )
    return parser


def _predict(options):
    found = find_model(options.model)
    console = create_console()
    use_tensorflow()
    with show_status(console, "Starting TensorFlow"), quiet_import():
        import_keras()
        from kerashw.predict.saved_classifier import SavedClassifier
    model = SavedClassifier(found)
    rows, damaged = [], []
    for file in map(Path, options.files):
        try:
            rows.append((str(file), *_answer(model.predict_file(file), model.labels)))
        except DataError as error:
            damaged.append(error)
    if rows:
        headings = ["file", "class", "probability", "second best"]
        console.print(ResultTable(headings, rows, left=["class", "second best"]))
    sys.stdout.flush()
    for error in damaged:
        print_error(NAME, error)
    return EXIT_ERROR if damaged else 0


def _answer(probabilities, labels):
    second, best = probabilities.argsort()[-2:]
    other = f"{labels[second]}, {100 * probabilities[second]:.2f} %"
    return labels[best], f"{100 * probabilities[best]:.2f} %", other


if __name__ == "__main__":
    run_main(main, NAME)
