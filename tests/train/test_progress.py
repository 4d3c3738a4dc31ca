import pathlib
from types import SimpleNamespace

import pytest

from kerashw.train.progress import ConsoleProgress
from kerashw.train.results import is_homework_run
from kerashw.train.settings import Settings
from tests.consoles import assert_shown_whole, recording_console, shown
from tests.train.test_summary_table import a_result

EPOCHS = [
    {"epoch": n, "train_loss": 2.3026, "test_loss": 0.0312, "test_accuracy": 1, "seconds": 17.25}
    for n in (1, 10)
]


def show_run(width, encoding="utf-8"):
    """Show a run that resumes after its first of ten epochs."""
    console = recording_console(width, encoding)
    settings = Settings()
    manifest = {"configuration": settings.configuration()}
    assert is_homework_run(manifest["configuration"])
    folder = pathlib.Path("runs/é")
    with ConsoleProgress(console, settings) as progress:
        progress.on_data_load("mnist")
        history = {"model": "convnet", "parameters": 1_199_882, "epochs": EPOCHS[:1]}
        progress.on_model_begin(SimpleNamespace(name="convnet"), history)
        progress.on_epoch_end(None, EPOCHS[1])
        run_folder = SimpleNamespace(path=folder, exports=folder / "exports", manifest=manifest)
        progress.on_run_end(run_folder, [a_result("convnet", [1, 10])])
    return console


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 58, 59, 80, 105, 106, 140])
def test_every_number_is_shown_whole_in_every_width(width, encoding):
    console = show_run(width, encoding)
    numbers = ["1/10", "10/10", "2.3026", "0.0312", "100.00 %", "17.25", "1,234,567", "98.33 %"]
    paths = ["runs/é/report.html", "runs/é/comparison.png", "runs/é/exports/models.config"]
    assert_shown_whole(console, [*numbers, *paths, "98.33 % after epoch 1"])


@pytest.mark.parametrize("width", [40, 110])
def test_headings_end_where_their_numbers_end(width):
    lines = shown(show_run(width)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("   1/10"))
    heading, *epochs = lines[first - 1 : first + 2]
    for title, number in (("epoch", "10/10"), ("loss", "2.3026"), ("accuracy", "100.00 %")):
        assert heading.index(title) + len(title) == epochs[1].index(number) + len(number)
    assert len({len(line) for line in epochs}) == 1
