"""Tables of results for the console; where it is too narrow for a table, they are lists.

Nothing is cut: a number that is shortened by "…" would be another number.
"""

from rich import box
from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class ResultTable:
    r"""A table of strings, for `rich.console.Console.print`.

    A console of fewer than `least_width` columns shows each row as a list: the first cell, and one
    line with heading and value for each other cell.

    Args:
        headings: Sequence of strings, one per column. They may have line breaks.
        rows: List of sequences of strings, as long as `headings`.
        wrapped: Collection of the headings of columns whose lines may be broken between words.
        left: Collection of the headings of columns that are aligned to the left, as the first one
            is; the others are aligned to the right.
        title: String, printed above the table.

    Example:
        >>> from rich.console import Console
        >>> headings = ["model", "parameters", "test\naccuracy"]
        >>> Console(width=30).print(ResultTable(headings, [("MLP", "669,706", "98.34 %")]))
        MLP
          parameters     669,706
          test accuracy  98.34 %
    """

    def __init__(self, headings, rows, wrapped=(), left=(), title=None):
        self.headings, self.rows, self.title = headings, rows, title
        self.wrapped, self.left = wrapped, {headings[0], *left}

    def least_width(self, encoding="utf-8"):
        """Return the number of columns from which a console of this encoding shows a table."""
        widths = 0
        for heading, *cells in zip(self.headings, *self.rows, strict=True):
            split = str.split if heading in self.wrapped else str.splitlines
            parts = (part for cell in (heading, *cells) for part in split(escape(cell, encoding)))
            widths += 3 + max(map(cell_len, parts), default=0)
        return 1 + widths

    def __rich_console__(self, console, options):
        def text(cell, style=""):
            return Text(escape(cell, options.encoding), style)

        if options.max_width >= self.least_width(options.encoding):
            yield self._table(text)
            return
        if self.title:
            yield text(self.title, "table.title")
        for first, *others in self.rows:
            yield text(first)
            yield Padding(self._list(others, text), (0, 0, 0, 2), expand=False)

    def _table(self, text):
        title = self.title and text(self.title, "table.title")
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for heading in self.headings:
            table.add_column(
                text(heading),
                justify="left" if heading in self.left else "right",
                no_wrap=heading not in self.wrapped,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*map(text, row))
        return table

    def _list(self, cells, text):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(overflow="fold")
        table.add_column(overflow="fold")
        for heading, cell in zip(self.headings[1:], cells, strict=True):
            table.add_row(text(" ".join(heading.split())), text(cell))
        return table


def escape(text, encoding):
    r"""Replace the characters that an encoding does not have with escape sequences.

    This is for texts in columns: an escape sequence is wider than the character.

    Args:
        text: String.
        encoding: String, such as `encoding` of a `rich.console.Console`.

    Returns:
        String.

    Example:
        >>> escape("28×28", "ascii")
        '28\\xd728'
    """
    return text.encode(encoding, "backslashreplace").decode(encoding)
