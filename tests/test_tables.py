import pytest

from kerashw.tables import ResultTable
from tests.consoles import assert_shown_whole, recording_console, shown

HEADINGS = ("model", "parameters", "seconds\nan epoch", "what")
ROWS = [
    ("softmax regression", "7,850", "0.20 ± 0.01", "a 28×28 image times a matrix"),
    ("ConvNet", "1,199,882", "17.25 ± 0.10", "two convolutions"),
]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 60, 65, 80, 140])
def test_every_word_is_shown_whole_in_every_width(width, encoding):
    console = recording_console(width, encoding)
    console.print(ResultTable(HEADINGS, ROWS, wrapped=HEADINGS[3:], title="Times"))
    assert_shown_whole(console, ["Times", *HEADINGS[1:], *ROWS[0], *ROWS[1]])


def test_a_console_of_the_least_width_shows_a_table_and_a_narrower_one_a_list():
    table = ResultTable(HEADINGS, ROWS, wrapped=HEADINGS[3:])
    console = recording_console(table.least_width())
    console.print(table)
    assert shown(console).count("seconds") == 1
    console = recording_console(table.least_width() - 1)
    console.print(table)
    assert shown(console).count("seconds an epoch") == len(ROWS)


def test_cells_are_text_and_not_markup():
    console = recording_console(60)
    console.print(ResultTable(("[b]", "x"), [("[/b]", ":smile:")]))
    assert_shown_whole(console, ["[b]", "[/b]", ":smile:"])
