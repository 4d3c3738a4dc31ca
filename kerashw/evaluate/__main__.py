"""`python -m kerashw.evaluate`: test a trained model on a data set."""

from kerashw.startup import import_keras, use_tensorflow

# isort: split
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
from kerashw.datasets.memory_bound import parse_bytes
from kerashw.errors import InputError
from kerashw.predict.model_search import find_model
from kerashw.streams import run_main

NAME = "python -m kerashw.evaluate"
EXAMPLES = """\
examples:
  python -m kerashw.evaluate runs/mnist/convnet
  python -m kerashw.evaluate runs/mnist/convnet --dataset kmnist --output pictures
  python -m kerashw.evaluate exports/convnet/2 --dataset path/to/pictures --test-share 0.5
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default those of the process.

    Returns:
        Integer, the exit code.
    """
    options = _parser().parse_args(arguments)
    hint, needs_reader = "", not options.output
    return run_command(lambda: _evaluate(options), NAME, hint, needs_reader)


def _parser():
    parser = Parser(
        prog=NAME,
        description="Test a trained model on the test images of a data set, and print its loss, "
        "its accuracy and the mistakes of every class.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add(
        "model",
        metavar="MODEL",
        help="the folder of a model in a run, its model.keras, or a folder of a SavedModel",
    )
    add(
        "--dataset",
        metavar="NAME",
        help="as for python -m kerashw.train; its classes must have the names of the model's; its "
        "images are scaled to the model's size (default: that of the model's run)",
    )
    add(
        "--test-share",
        type=float,
        metavar="X",
        help="the share of each class that is for the test, if the data set has no test images of "
        "its own (default: that of the model's run, or 0.2)",
    )
    add(
        "--seed",
        type=int,
        metavar="N",
        help="for the choice of these (default: that of the model's run, or 0)",
    )
    add(
        "--skip-damaged",
        action="store_true",
        help="go on without the files in a folder that are damaged or no pictures",
    )
    add("--test-examples", type=int, metavar="N", help="test on the first N (default: all)")
    add(
        "--memory",
        metavar="SIZE",
        help="the size, such as 2G, above which images stay on disk (default: a quarter of the "
        "machine's memory)",
    )
    add_data_dir_option(parser)
    add(
        "--output",
        metavar="DIR",
        help="folder for confusion.png and mistakes.png, the surest mistakes",
    )
    add_quiet_option(parser)
    return parser


def _evaluate(options):
    found = find_model(options.model)
    if options.dataset is None and not found.configuration.get("dataset"):
        raise InputError(
            f"{options.model} does not lie in a run, whose data set is known. Add --dataset NAME"
        )
    memory = options.memory and parse_bytes(options.memory)
    check_writable("--output", options.output, is_folder=True)
    console = create_console(options.quiet)
    use_tensorflow()
    with show_status(console, "Starting TensorFlow"), quiet_import():
        import_keras()
        from kerashw.evaluate.model_test import print_result, test_model, write_pictures
    result = test_model(found, options, memory)
    print_result(result, console)
    if options.output:
        write_pictures(result, options.output, console)


if __name__ == "__main__":
    run_main(main, NAME)
