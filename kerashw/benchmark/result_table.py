"""Results of the benchmark: their tables on the console, and their form in JSON.

There are three kinds of results: `Comparison`s, `Table`s, and remarks, which are strings.
"""

import dataclasses
import statistics

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.tables import ResultTable


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of measurements that do not compare kerashw with one peer.

    Args:
        title: String.
        headings: Tuple of strings, one per column. The first column has the names of the rows.
        rows: List of tuples, as long as `headings`, of strings, numbers, lists of numbers (one per
            round; the table shows their median), or `None` for an empty cell.
        formats: Tuple of strings for `str.format`, one per column.
    """

    title: str
    headings: tuple
    rows: list
    formats: tuple

    def formatted_rows(self):
        """Return the rows as a list of tuples of strings.

        Example:
            >>> table = Table("Sizes", ("n", "seconds"), [(2000, [1, 4, 2])], ("{:,}", "{:.1f}"))
            >>> table.formatted_rows()
            [('2,000', '2.0')]
        """
        return [tuple(map(_format_cell, self.formats, row)) for row in self.rows]


def _format_cell(form, value):
    if value is None:
        return "–"
    return form.format(statistics.median(value) if isinstance(value, list) else value)


def print_results(results, console):
    """Print all comparisons in one table, then the other tables, then the remarks.

    Args:
        results: List of `Comparison`s, `Table`s and strings.
        console: `rich.console.Console`.
    """
    groups = _group_by_kind(results)
    if groups["comparisons"]:
        console.print(comparison_table(groups["comparisons"]))
    for table in groups["tables"]:
        rows = table.formatted_rows()
        console.print(ResultTable(table.headings, rows, wrapped=table.headings, title=table.title))
    for remark in groups["remarks"]:
        console.print(remark, markup=False, highlight=False)


def results_to_json(results):
    """Convert results to values that JSON can represent.

    Args:
        results: List of `Comparison`s, `Table`s and strings.

    Returns:
        Dict of three lists: `comparisons` and `tables`, which are dicts, and `remarks`.
    """
    groups = _group_by_kind(results)
    return {
        "comparisons": [dataclasses.asdict(one) for one in groups["comparisons"]],
        "tables": [
            {"title": table.title, "headings": table.headings, "rows": table.rows}
            for table in groups["tables"]
        ],
        "remarks": groups["remarks"],
    }


def _group_by_kind(results):
    kinds = {"comparisons": Comparison, "tables": Table, "remarks": str}
    return {name: [r for r in results if isinstance(r, kind)] for name, kind in kinds.items()}


def comparison_table(comparisons):
    """Return a `kerashw.tables.ResultTable` with one row per `Comparison`."""
    numbers = ("kerashw\nms", "peer\nms", "ratio", "smallest –\nlargest")
    texts = ("peer", "results of kerashw and the peer")
    rows = [
        (
            comparison.job,
            f"{1000 * statistics.median(comparison.ours):,.1f}",
            f"{1000 * statistics.median(comparison.theirs):,.1f}",
            f"{comparison.ratio:.2f}",
            f"{comparison.ratios[0]:.2f} – {comparison.ratios[-1]:.2f}",
            comparison.peer,
            comparison.quality,
        )
        for comparison in comparisons
    ]
    return ResultTable(("job", *numbers, *texts), rows, wrapped=texts, left=texts)
