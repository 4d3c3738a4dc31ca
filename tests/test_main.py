"""`python -m kerashw` lists the commands without importing a framework."""

import importlib
import pathlib
import subprocess
import sys

import pytest

import kerashw
from kerashw.__main__ import COMMANDS, NAME, main

PACKAGE = pathlib.Path(kerashw.__file__).parent


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_screen_has_24_lines_and_names_all_commands(arguments, capsys):
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    for command in COMMANDS:
        assert any(f"{NAME}.{command} " in line for line in lines)


def test_every_module_with_a_command_is_listed():
    packages = {path.parent.name for path in PACKAGE.glob("*/__main__.py")}
    assert packages == set(COMMANDS)


def test_no_framework_is_imported_and_the_exit_code_is_0():
    script = (
        "import runpy, sys\n"
        "try: runpy.run_module('kerashw', run_name='__main__')\n"
        "except SystemExit as ended: assert ended.code == 0, ended.code\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"kerashw {kerashw.__version__}\n"


@pytest.mark.parametrize("arguments", [["train"], ["--nosuch"], ["train", "--epochs", "1"]])
def test_an_unknown_argument_is_reported_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert repr(arguments[0]) in line
    assert all(f"{NAME}.{command}" in line for command in COMMANDS)


@pytest.mark.parametrize("command", ["verify", "benchmark"])
def test_the_home_folder_is_found_where_the_shell_does_not_replace_it(
    command, monkeypatch, tmp_path
):
    """A shell replaces the ~ of `--json ~/x`, but not that of `--json=~/x`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    parser = importlib.import_module(f"kerashw.{command}.__main__")._parser()
    options = parser.parse_args(["--json=~/x", "--figures=~/y"])
    assert (options.json, options.figures) == (str(tmp_path / "x"), str(tmp_path / "y"))
