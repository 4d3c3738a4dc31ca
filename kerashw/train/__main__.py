"""`python -m kerashw.train`: train, evaluate, draw and export the homework's models."""

from kerashw.startup import use_tensorflow

# isort: split
import shlex
import sys
from pathlib import Path

from kerashw.console import (
    Parser,
    add_data_dir_option,
    add_quiet_option,
    create_console,
    quiet_import,
    run_command,
    show_status,
)
from kerashw.files import check_utf8
from kerashw.streams import run_main

NAME = "python -m kerashw.train"
EXAMPLES = """\
examples:
  python -m kerashw.train
  python -m kerashw.train --model softmax mlp --epochs 3 --output runs/quick
  python -m kerashw.train --dataset fashion_mnist --output runs/fashion --deterministic
  python -m kerashw.train --model diagonal
  python -m kerashw.train --strategy mirrored
  TF_CONFIG='{"cluster": {"worker": ["host1:12345", "host2:12345"]},
    "task": {"type": "worker", "index": 0}}' python -m kerashw.train --strategy multiworker

exit codes:
  0 done; 2 an error; 130 interrupted; 75 another worker cannot be reached or was lost: start all
  workers again, and they resume after the last finished epoch
"""


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    command = shlex.join([*NAME.split(), *arguments])
    return run_command(lambda: _train(options, command), NAME)


def _parser():
    parser = Parser(
        prog=NAME,
        description="Train, test, draw and export the homework's models: on MNIST, and those of "
        "Question 3 on generated images of diagonals.",
        epilog=EXAMPLES,
    )
    _add_training(parser.add_argument_group("training"))
    _add_data(parser.add_argument_group("data"))
    _add_devices(parser.add_argument_group("devices"))
    _add_output(parser.add_argument_group("output"))
    return parser


def _add_training(group):
    add = group.add_argument
    add(
        "--model",
        nargs="+",
        default=["softmax", "mlp", "convnet"],
        metavar="NAME",
        help="the models to train: softmax, mlp, convnet (default: these three), factored; for "
        "Question 3: learned_diagonal, or diagonal, which has nothing to train and adds "
        "learned_diagonal for comparison",
    )
    add("--epochs", type=int, default=10, metavar="N", help="passes over the data (default: 10)")
    add("--batch-size", type=int, default=128, metavar="N", help="examples a step (default: 128)")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="for the initial weights, the order of the examples and dropout (default: 0)",
    )
    add(
        "--precision",
        default="float32",
        metavar="TYPE",
        help="float32, or bfloat16 for Keras' mixed_bfloat16 policy (default: float32)",
    )
    add("--deterministic", action="store_true", help="make the run reproducible to the last bit")


def _add_data(group):
    add = group.add_argument
    add(
        "--dataset",
        metavar="NAME",
        help="mnist, which needs no network, or another data set of tensorflow-datasets with "
        "28×28 grey images in 10 classes, such as fashion_mnist or kmnist; or diagonals or "
        "diagonals/salt, which are generated (default: mnist; diagonals for Question 3's models)",
    )
    add_data_dir_option(group)
    add("--train-examples", type=int, metavar="N", help="train on the first N (default: all)")
    add("--test-examples", type=int, metavar="N", help="test on the first N (default: all)")


def _add_devices(group):
    add = group.add_argument
    add(
        "--strategy",
        default="auto",
        metavar="NAME",
        help="default, one device; mirrored, all GPUs of this machine; multiworker, the machines "
        "in TF_CONFIG; auto, whatever is available (default: auto)",
    )
    add(
        "--worker-timeout",
        type=float,
        default=60,
        metavar="S",
        help="seconds to wait for the other workers and their names at the start (default: 60)",
    )


def _add_output(group):
    add = group.add_argument
    add(
        "--output",
        metavar="DIR",
        help="the run's folder, in which an interrupted run resumes (default: runs/mnist, or "
        "runs/diagonals for diagonals)",
    )
    add("--tensorboard", action="store_true", help="write TensorBoard logs (extra: tensorboard)")
    add_quiet_option(group)


def _train(options, command):
    console = create_console(options.quiet)
    use_tensorflow()
    with show_status(console, "Starting TensorFlow"), quiet_import():
        from kerashw import distribution
        from kerashw.train.progress import ConsoleProgress, WorkerProgress
        from kerashw.train.run import run
        from kerashw.train.settings import Settings
    settings = Settings(
        models=tuple(options.model),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        dataset=options.dataset,
        precision=options.precision,
        train_examples=options.train_examples,
        test_examples=options.test_examples,
        deterministic=options.deterministic,
    )
    question_3 = settings.dataset.startswith("diagonals")
    output = options.output or ("runs/diagonals" if question_3 else "runs/mnist")
    check_utf8("--output", Path(output).absolute())
    choice = distribution.choose_strategy(options.strategy)
    observer = (ConsoleProgress if choice.is_chief else WorkerProgress)(console, settings)
    with observer:
        results = run(
            settings,
            output,
            options.data_dir,
            observer,
            command,
            options.tensorboard,
            choice,
            options.worker_timeout,
        )
    if results is None:
        console.print(
            f"The run in {output} is complete already. To train again, choose another "
            "--output or delete that folder.",
            soft_wrap=True,
        )


if __name__ == "__main__":
    run_main(main, NAME)
