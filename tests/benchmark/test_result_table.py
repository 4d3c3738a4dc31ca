import dataclasses
import io

from rich.console import Console

from kerashw.benchmark.alternating_timing import Comparison
from kerashw.benchmark.result_table import Table, comparison_table, results_to_json


def test_the_table_shows_milliseconds():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(comparison_table([Comparison("a job", "a peer", [1.5], [3.0], "equal")]))
    line = "a job   1,500.0   3,000.0    0.50   0.50 – 0.50   a peer   equal"
    assert line in console.export_text()


def test_json_has_comparisons_tables_and_remarks():
    comparison = Comparison("a job", "a peer", [1.5], [3.0])
    table = Table("Sizes", ("n", "seconds"), [(1, [2.0, 4.0])], ("{}", "{:.1f}"))
    assert results_to_json(["a remark", table, comparison]) == {
        "comparisons": [dataclasses.asdict(comparison)],
        "tables": [{"title": "Sizes", "headings": ("n", "seconds"), "rows": [(1, [2.0, 4.0])]}],
        "remarks": ["a remark"],
    }
    assert table.formatted_rows() == [("1", "3.0")]
