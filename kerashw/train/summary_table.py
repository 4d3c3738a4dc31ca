"""The summary table that a run prints at its end."""

from rich import box
from rich.table import Table


def summary_table(results, homework=True):
    """Return the results of all models as a `rich.table.Table`.

    Args:
        results: List of `kerashw.train.results.Result`.
        homework: Boolean, whether to add the homework's results as a column.
    """
    last = max(result.last["epoch"] for result in results)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("model", no_wrap=True)
    headings = ["accuracy\nepoch 1", f"accuracy\nepoch {last}"] if last > 1 else ["accuracy"]
    for heading in ["parameters", "test\nloss", *headings, "seconds\nan epoch"]:
        table.add_column(heading, justify="right", no_wrap=True)
    if homework:
        table.add_column("accuracy\nin the homework")
    for result in results:
        accuracies = [result.first["test_accuracy"], result.last["test_accuracy"]]
        table.add_row(
            result.title,
            f"{result.history['parameters']:,}",
            f"{result.last['test_loss']:.4f}",
            *map(percent, accuracies[-len(headings) :]),
            f"{result.seconds_an_epoch:.2f}",
            *([result.homework] if homework else []),
        )
    return table


def percent(share):
    """Return a share as text.

    Example:
        >>> percent(0.9833)
        '98.33 %'
    """
    return f"{100 * share:.2f} %"
