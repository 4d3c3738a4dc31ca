"""Several runs that differ in their seed alone, and their means and standard deviations.

```
OUTPUT/seed-N/          the run with the seed N, as a run without --seeds writes it
OUTPUT/comparison.png   the mean accuracy by epoch, with a band of one standard deviation
OUTPUT/report.html      the table of means and deviations, with links to the reports of the runs
```
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from kerashw.errors import InputError, RunError
from kerashw.files import atomic_write
from kerashw.histories import evaluated_on
from kerashw.model_names import TITLES, folder_name
from kerashw.plots import drawing_process
from kerashw.plots.drawing_process import Figure
from kerashw.tables import ResultTable
from kerashw.train.model_folder import read_json
from kerashw.train.pictures import picture
from kerashw.train.report import seeds_report_html
from kerashw.train.run_folder import MANIFEST

FIRST_ACCURACY = {
    "test": "test accuracy\nafter epoch 1",
    "validation": "validation accuracy\nafter epoch 1",
}


@dataclasses.dataclass(frozen=True)
class SeedsResult:
    """The results of one model with several seeds.

    Args:
        name: String, the name of the model's folder.
        histories: List of dicts as in `history.json`, one for each seed.
    """

    name: str
    histories: list

    @property
    def title(self):
        """The model's name in text."""
        return TITLES.get(self.name, self.name)

    @property
    def parameters(self):
        """The number of the model's parameters."""
        return self.histories[0]["parameters"]

    @property
    def test_loss(self):
        """The mean and the standard deviation of the test loss, as text."""
        return mean_and_deviation(
            [_tested(history)["loss"] for history in self.histories], "{:.4f}"
        )

    @property
    def first_accuracy(self):
        """The mean and the deviation of the accuracy after the first epoch, as text.

        It is that of the validation examples if there are any.
        """
        name = f"{evaluated_on(self.histories[0])}_accuracy"
        return _percent([history["epochs"][0][name] for history in self.histories])

    @property
    def test_accuracy(self):
        """The mean and the standard deviation of the test accuracy, as text."""
        return _percent([_tested(history)["accuracy"] for history in self.histories])


def run_seeds(settings, output, run, choice, command, console):
    """Train with each seed, or resume, and report the means.

    Args:
        settings: List of `kerashw.train.settings.Settings`, one for each seed.
        output: String, the folder of the runs' folders.
        run: Function of `Settings` and a `Path`, which trains once.
        choice: `kerashw.distribution.StrategyChoice`.
        command: String, the command line.
        console: `rich.console.Console`.

    Raises:
        InputError: If there are several workers.
        RunError: If the folder holds a single run.
    """
    folder = Path(output)
    if choice.addresses:
        raise InputError(
            "--seeds trains on one machine. Start a run for each seed, with --seed. "
            f"Received: TF_CONFIG of {len(choice.addresses)} workers"
        )
    if (folder / MANIFEST).exists():
        raise RunError(
            f"the folder {folder} holds a single run. Expected those of several seeds. "
            "Choose another --output"
        )
    for number, each in enumerate(settings, 1):
        console.print(f"\nSeed {each.seed}, {number} of {len(settings)}", style="bold")
        keras.utils.clear_session()  # so that layers have the same names in all runs
        if run(each, seed_folder(folder, each)) is None:
            console.print(f"The run in {seed_folder(folder, each)} is complete already.")
    results = _read_results(folder, settings)
    console.print()
    console.print(seeds_table(results))
    _write_report(folder, settings, results, command)
    console.print(f"{'report':8}{folder / 'report.html'}", soft_wrap=True, highlight=False)


def seed_folder(folder, settings):
    """Return the `Path` of the folder of the run with a seed."""
    return folder / f"seed-{settings.seed}"


def mean_and_deviation(values, form):
    """Return the mean and the sample standard deviation as text.

    Args:
        values: List of floats; of a single one there is no deviation.
        form: String, the format of a number.

    Returns:
        String.

    Example:
        >>> mean_and_deviation([1.0, 2.0, 3.0], "{:.1f}")
        '2.0 ± 1.0'
    """
    mean = form.format(np.mean(values))
    return f"{mean} ± {form.format(np.std(values, ddof=1))}" if len(values) > 1 else mean


def seeds_table(results):
    """Return the table of several seeds.

    Args:
        results: List of `SeedsResult`.

    Returns:
        `kerashw.tables.ResultTable`.
    """
    rows = [
        (
            each.title,
            f"{each.parameters:,}",
            each.test_loss,
            each.first_accuracy,
            each.test_accuracy,
        )
        for each in results
    ]
    headings = ["model", "parameters", "test loss", FIRST_ACCURACY[_examples(results)]]
    title = f"Mean ± standard deviation over {len(results[0].histories)} seeds"
    return ResultTable([*headings, "test accuracy\nat the end"], rows, title=title)


def _percent(shares):
    return f"{mean_and_deviation([100 * share for share in shares], '{:.2f}')} %"


def _tested(history):
    """Return the loss and the accuracy of the test of a trained model."""
    last = history["epochs"][-1]
    if evaluated_on(history) == "validation":
        return history["test"]
    return {"loss": last["test_loss"], "accuracy": last["test_accuracy"]}


def _examples(results):
    return evaluated_on(results[0].histories[0])


def _read_results(folder, settings):
    def read(name, each):
        path = seed_folder(folder, each) / name / "history.json"
        return read_json(path, "epochs", remedy=f"Delete {path.parent.parent} to train it again")

    names = map(folder_name, settings[0].classifiers)
    return [SeedsResult(name, [read(name, each) for each in settings]) for name in names]


def _write_report(folder, settings, results, command):
    figure = Figure("kerashw.plots.seed_bands:seed_bands", ([each.histories for each in results],))
    [(png, size)] = drawing_process.draw([figure])
    examples = _examples(results)
    alt = f"Mean {examples} accuracy by epoch, over the seeds, with bands of a standard deviation."
    comparison = picture(png, size, alt)
    links = {each.seed: f"{seed_folder(Path(), each)}/report.html" for each in settings}
    report = seeds_report_html(
        results, comparison, links, settings[0].configuration() | {"seed": None}, command
    )
    for name, content in (("comparison.png", png), ("report.html", report.encode())):
        with atomic_write(folder / name) as path:
            path.write_bytes(content)
