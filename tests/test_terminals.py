"""No command fails or loses a line because of its terminal, its streams or a file name."""

import json
import os
import signal
import subprocess
import sys

import pytest

from kerashw.serve.client import Client
from kerashw.streams import OutputStream
from kerashw.train.__main__ import main as train
from kerashw.verify.__main__ import main as verify
from tests.conftest import run_in_terminal
from tests.ports import free_port
from tests.shared_folder import shared_folder

OTHER_COMMANDS = ["kerashw", "kerashw.predict", "kerashw.evaluate", "kerashw.verify"]
OTHER_COMMANDS += ["kerashw.benchmark", "kerashw.serve"]
COMMANDS = ["kerashw.train", *OTHER_COMMANDS]
SMALL = ["--model=softmax", "--epochs=1", "--train-examples=500", "--test-examples=100"]
# The name of a folder: not ASCII, and an emoji of rich.
NAME = "é :smile:"
# Markup of rich. TensorFlow cannot load models from such a folder.
MARKUP = "[/b]"
ASCII = {"PYTHONIOENCODING": "ascii"}
ASCII_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def start(module, *arguments, flags=(), redirection="", cwd=None, **environment):
    """Start a command in a shell that redirects its streams."""
    command = [sys.executable, *flags, "-m", module, *arguments]
    return subprocess.Popen(
        ["bash", "-c", f'exec "$@" {redirection}', "bash", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=os.environ | environment,
    )


def run(*arguments, **settings):
    """Run a command to its end; return its exit code, its output and its errors."""
    process = start(*arguments, **settings)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def run_unread(module, *arguments, lines=0):
    """Run a command whose reader ends after some lines; return its exit code and its errors."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    return process.wait(300), errors


def assert_complete(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["finished"]
    assert (folder / "report.html").exists()
    assert (folder / "exports" / "models.config").exists()


@pytest.fixture(scope="module")
def ascii_run(data, tmp_path_factory):
    """A run that was trained in an ASCII locale; its folder and the ended process."""

    def train_there(folder):
        arguments = [*SMALL, "--output", folder / NAME]
        code, *texts = run("kerashw.train", *arguments, PYTHONWARNINGS="error", **ASCII_LOCALE)
        ended = [code, *(text.decode() for text in texts)]
        (folder / "ended.json").write_text(json.dumps(ended))

    folder = shared_folder(tmp_path_factory, "ascii_run", train_there)
    return folder / NAME, *json.loads((folder / "ended.json").read_text())


def test_training_in_an_ascii_locale_prints_every_line(ascii_run):
    folder, code, output, errors = ascii_run
    assert (code, errors) == (0, "")
    assert_complete(folder)
    assert output.isascii()
    *_, report, curves, models = output.splitlines()
    shown = str(folder).replace("é", r"\xe9")
    assert report == f"report  {shown}/report.html"
    assert curves == f"curves  {shown}/comparison.png"
    assert models == f"models  {shown}/exports/models.config"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert f"'{folder}'" in manifest["command"]


@pytest.mark.slow
def test_a_training_process_goes_on_without_its_reader(data, tmp_path):
    code, errors = run_unread("kerashw.train", *SMALL, "--output", tmp_path / MARKUP, lines=1)
    assert (code, errors) == (0, b"")
    assert_complete(tmp_path / MARKUP)


def unread_code(command, arguments, monkeypatch):
    """Run a command in this process without a reader of its output; return its exit code."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    with OutputStream(os.fdopen(writing_end, "w"), needs_reader=True) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        try:
            return command(arguments)
        except SystemExit as ended:
            return ended.code


@pytest.mark.parametrize(("files", "code"), [([], 141), (["--json", "claims.json"], 0)])
def test_a_command_stops_with_its_reader_unless_it_writes_files(files, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert unread_code(verify, ["--claim", "4", *files], monkeypatch) == code
    assert [path.name for path in tmp_path.iterdir()] == files[1:]


def test_training_needs_no_reader(data, tmp_path, monkeypatch):
    assert unread_code(train, [*SMALL, "--output", str(tmp_path / MARKUP)], monkeypatch) == 0
    assert_complete(tmp_path / MARKUP)


def test_a_plain_terminal_of_40_columns_gets_every_word_and_no_escape_codes():
    command = [sys.executable, "-m", "kerashw.verify", "--claim", "4"]
    shown = run_in_terminal(command, columns=40, NO_COLOR="1", **ASCII)
    assert shown.isascii()
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 40
    words = shown.split()
    assert {"207", r"10\xd7784,", "probabilities", "holds"} <= set(words)


@pytest.mark.parametrize(
    "module",
    ["kerashw.train", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHER_COMMANDS)],
)
def test_help_is_printed_unless_its_stream_is_closed(module):
    for is_shown, settings in [
        (True, ASCII_LOCALE),
        (False, {"redirection": ">&-"} | ASCII),
        (True, {"redirection": "2>&-", "PYTHONIOENCODING": "latin-1"}),
        (False, {"redirection": ">&- 2>&- <&-"}),
        (True, {"redirection": "2>/dev/full", "COLUMNS": "1"}),
    ]:
        code, output, errors = run(module, "--help", **settings)
        assert (code, bool(output), errors) == (0, is_shown, b"")
    assert run_unread(module, "--help") == (141, b"")
    code, _, errors = run(module, "--help", redirection=">/dev/full")
    assert code == 2
    [line] = errors.decode().splitlines()
    assert line.startswith(f"python -m {module}: error: the standard output cannot be written: No")


@pytest.mark.parametrize("locale", [{}, ASCII_LOCALE], ids=["utf-8", "ascii"])
@pytest.mark.parametrize("module", COMMANDS)
def test_a_name_that_is_not_utf8_is_reported_in_one_line(module, locale, tmp_path):
    name = bytes(tmp_path / "run") + b"\xff"
    code, output, errors = run(module, "--output", name, **locale)
    assert (code, output) == (2, b"")
    [line] = errors.decode().splitlines()
    assert "an argument must be UTF-8. Choose another one. Received: " in line
    assert rf"{tmp_path}/run\udcff. " in line
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_folder_that_is_not_utf8_is_reported_in_one_line(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    train = ["kerashw.train", *SMALL, "--quiet", "--output"]
    for option, (code, _, errors) in {
        "--output": run(*train, "run", cwd=folder),
        "--data-dir": run(*train, tmp_path / "run", TFDS_DATA_DIR=str(folder)),
    }.items():
        assert code == 2
        [line] = errors.decode().splitlines()
        assert option in line
        assert "must be UTF-8" in line
    assert not list(tmp_path.glob("*/*"))


# The arguments of `run`, and the exit code.
CASES = {
    "ASCII": (ASCII, 0),
    "ASCII locale": (ASCII_LOCALE, 0),
    "Latin-1": ({"PYTHONIOENCODING": "latin-1"}, 0),
    "question marks": ({"PYTHONIOENCODING": "ascii:replace"}, 0),
    "no output": ({"redirection": ">&-"}, 0),
    "no errors": ({"redirection": "2>&-"}, 0),
    "no streams": ({"redirection": ">&- 2>&- <&-"}, 0),
    "full disk": ({"redirection": ">/dev/full"}, 2),
    "full disk for errors": ({"redirection": "2>/dev/full"}, 0),
    "warnings": ({"PYTHONWARNINGS": "error"}, 0),
    "unbuffered": ({"flags": ["-u"], **ASCII}, 0),
    "isolated": ({"flags": ["-I"]}, 0),
    "without docstrings": ({"flags": ["-OO"]}, 0),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.mark.slow
def test_training_ends_in_every_case(case, data, tmp_path):
    settings, expected = case
    folder = tmp_path / (MARKUP + NAME)
    code, _, errors = run("kerashw.train", *SMALL, "--output", folder, **settings)
    assert (code, len(errors.splitlines())) == (expected, expected == 2), errors
    assert_complete(folder)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["verify --claim 1 4 6 --json", "benchmark backprop --json"])
def test_other_commands_end_in_every_case(module, case, tmp_path):
    settings, expected = case
    code, _, errors = run(*f"kerashw.{module}".split(), tmp_path / NAME, **settings)
    assert (code, len(errors.splitlines())) == (expected, expected == 2), errors
    assert json.loads((tmp_path / NAME).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_server_answers_in_every_case(case, ascii_run):
    settings, code = case
    port = free_port()
    models = f"--model_config_file={ascii_run[0]}/exports/models.config"
    ports = [f"--rest_api_port={port}", "--port=0"]
    with start("kerashw.serve", *ports, models, **settings) as process:
        try:
            status = Client(f"http://127.0.0.1:{port}", retries=8).status("softmax")
        finally:
            process.terminate()
        errors = process.stderr.read()
    assert (status, process.returncode) == ({1: "AVAILABLE"}, code), errors
