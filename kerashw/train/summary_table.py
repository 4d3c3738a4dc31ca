"""The summary table that a run prints at its end."""

from kerashw.tables import ResultTable


def summary_table(results, homework=True):
    """Return the results of all models as a `kerashw.tables.ResultTable`.

    Args:
        results: List of `kerashw.train.results.Result`.
        homework: Boolean, whether to add the homework's results as a column.
    """
    last = max(result.last["epoch"] for result in results)
    validated = any(result.evaluated_on == "validation" for result in results)
    accuracies = ["accuracy\nepoch 1", f"accuracy\nepoch {last}"] if last > 1 else ["accuracy"]
    if validated:
        accuracies = ["accuracy,\nvalidation", "accuracy,\ntest"]
    theirs = ["accuracy\nin the homework"] if homework else []
    rows = [
        [
            result.title,
            f"{result.history['parameters']:,}",
            f"{result.test_loss:.4f}",
            *map(percent, _accuracies(result)[-len(accuracies) :]),
            f"{result.seconds_an_epoch:.2f}",
            *([result.homework] if homework else []),
        ]
        for result in results
    ]
    headings = ["model", "parameters", "test\nloss", *accuracies, "seconds\nan epoch", *theirs]
    return ResultTable(headings, rows, wrapped=theirs, left=theirs)


def _accuracies(result):
    if result.evaluated_on == "validation":
        return [result.last["validation_accuracy"], result.test_accuracy]
    return [result.first["test_accuracy"], result.last["test_accuracy"]]


def percent(share):
    """Return a share as text.

    Example:
        >>> percent(0.9833)
        '98.33 %'
    """
    return f"{100 * share:.2f} %"
