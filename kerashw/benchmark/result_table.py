"""What a topic of the benchmark is given, and what it may find beside `Comparison`s.

A topic is a module of this package with a function `measure(setup)` that yields `Comparison`s,
`Table`s and strings, remarks that stand under the tables. `kerashw.benchmark` lists the topics.
"""

import dataclasses
import statistics
from collections.abc import Callable
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Setup:
    """What the user asked for, as far as a topic has to know it.

    Args:
        data_dir: String, as in `kerashw.datasets.mnist.load`.
        figures: `Path` of the folder for pictures, or `None`: draw nothing.
        progress: Function that takes a string, what is being done, and shows it.
    """

    data_dir: str | None = None
    figures: Path | None = None
    progress: Callable = lambda doing: None


@dataclasses.dataclass(frozen=True)
class Table:
    """Numbers that are no comparison of two ways.

    Args:
        title: String.
        headings: Tuple of strings, one a column; the first column names the rows.
        rows: List of tuples, as long as `headings`: strings, numbers, lists of numbers (one
            a round; their median is shown), or `None` where there is nothing to tell.
        formats: Tuple of strings for `str.format`, one a column: how it is shown.
    """

    title: str
    headings: tuple
    rows: list
    formats: tuple

    def shown(self):
        """Return the rows as one reads them: list of tuples of strings.

        Example:
            >>> Table("Sizes", ("n", "seconds"), [(2000, [1, 4, 2])], ("{:,}", "{:.1f}")).shown()
            [('2,000', '2.0')]
        """
        return [tuple(map(_cell, self.formats, row)) for row in self.rows]


def _cell(form, value):
    if value is None:
        return "–"
    return form.format(statistics.median(value) if isinstance(value, list) else value)
