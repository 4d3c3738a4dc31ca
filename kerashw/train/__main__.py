"""`python -m kerashw.train`: train, evaluate, draw and export the homework's models."""

from kerashw.startup import import_keras, use_tensorflow

# isort: split
import shlex
import sys
from pathlib import Path

from kerashw.console import create_console, quiet_import, run_command, show_status
from kerashw.datasets.memory_bound import parse_bytes
from kerashw.files import check_utf8, local_path
from kerashw.streams import run_main
from kerashw.train.config_file import config_arguments
from kerashw.train.options import create_parser

NAME = "python -m kerashw.train"


def main(arguments=None):
    """Run the command.

    Args:
        arguments: List of strings; by default the process' own.

    Returns:
        Integer, the exit code.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = create_parser(NAME)
    options = parser.parse_args(arguments)
    command = shlex.join([*NAME.split(), *arguments])

    def train():
        if options.config is None:
            return _train(options, command)
        of_file = config_arguments(options.config, vars(parser.parse_args([])))
        create_parser(f"{NAME} --config {options.config}").parse_args(of_file)  # errors name it
        return _train(parser.parse_args([*of_file, *arguments]), command)

    return run_command(train, NAME)


def _default_output(dataset, seeds):
    if dataset is None:
        return "runs/theory"
    if dataset.startswith("diagonals"):
        name = "diagonals"
    else:
        name = Path(dataset.partition(":")[0]).resolve().stem
    return f"runs/{name}{'-seeds' if seeds else ''}"


def _train(options, command):
    console = create_console(options.quiet)
    use_tensorflow()
    settings = _settings(options)  # an error is reported before the slow import
    seeds = options.seeds and settings.of_seeds(options.seeds)
    output = options.output or _default_output(settings.dataset, seeds)
    check_utf8("--output", local_path("--output", output).absolute())
    memory = options.memory and parse_bytes(options.memory)
    with show_status(console, "Starting TensorFlow"), quiet_import():
        import_keras()
        from kerashw import distribution
        from kerashw.train.progress import ConsoleProgress, WorkerProgress
        from kerashw.train.run import run
    choice = distribution.choose_strategy(options.strategy)

    def run_once(settings, output):
        observer = (ConsoleProgress if choice.is_chief else WorkerProgress)(console, settings)
        with observer:
            return run(
                settings,
                output,
                options.data_dir,
                observer,
                command,
                options.tensorboard,
                choice,
                options.worker_timeout,
                memory,
            )

    if seeds:
        from kerashw.train.several_seeds import run_seeds

        return run_seeds(seeds, output, run_once, choice, command, console)
    if run_once(settings, output) is None:
        console.print(
            f"The run in {output} is complete already. To train again, choose another "
            "--output or delete that folder.",
            soft_wrap=True,
        )
    return 0


def _settings(options):
    from kerashw.train.settings import Settings
    from kerashw.train.training_options import TRAINING_OPTIONS

    return Settings(
        models=tuple(options.model),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        dataset=options.dataset,
        precision=options.precision,
        train_examples=options.train_examples,
        test_examples=options.test_examples,
        deterministic=options.deterministic,
        keep_epochs=options.keep_epochs,
        image_size=options.image_size,
        test_share=options.test_share,
        skip_damaged=options.skip_damaged,
        **{name: getattr(options, name) for name in TRAINING_OPTIONS},
    )


if __name__ == "__main__":
    run_main(main, NAME)
