"""What a topic of the benchmark is given, and what it may find beside `Comparison`s.

A topic is a module of this package with a function `measure(setup)` that yields `Comparison`s,
`Table`s and strings, remarks that stand under the tables. `kerashw.benchmark` lists the topics.
"""

import dataclasses
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
        rows: List of tuples of strings, as long as `headings`.
    """

    title: str
    headings: tuple
    rows: list
