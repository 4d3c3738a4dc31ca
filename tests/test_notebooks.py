"""The notebooks are committed with what they print, and print it again when they are run again."""

import ast
import base64
import copy
import importlib
import os
import pathlib
import re
import types

import nbformat
import pytest
from nbclient import NotebookClient

import kerashw

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = {f"kerashw.{room}" for room in kerashw.__all__} | {"kerashw.serve.client"}
ABSOLUTE = re.compile(r"(?<![\w.:/])/([\w.-]+)/")
URLS = {"v1", "page"}  # of the server; any other path from the root is a folder of whoever ran it

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def source(cell):
    """A cell without IPython's own lines."""
    return re.sub(r"^[%!].*$", "", cell.source, flags=re.MULTILINE)


def texts(cell):
    """All that a cell shows as text."""
    streams = [output.text for output in cell.outputs if output.output_type == "stream"]
    shown = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return "".join(streams), shown


def kinds(cell):
    return [(output.output_type, sorted(output.get("data", {}))) for output in cell.outputs]


def pictures(path):
    outputs = [output for cell in code_cells(path) for output in cell.outputs if "data" in output]
    return [output.data["image/png"] for output in outputs if "image/png" in output.data]


def test_there_is_one_for_each_question_and_one_for_serving():
    names = ["1-backprop", "2-hypotheses", "3-diagonals", "4-mnist", "5-serving"]
    assert [path.stem for path in NOTEBOOKS] == names


@each_notebook
def test_it_was_run_from_top_to_bottom(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        last = ast.parse(source(cell)).body[-1]
        if isinstance(last, ast.Expr) or "print(" in cell.source:
            assert cell.outputs, cell.source


@each_notebook
def test_its_outputs_read_well_where_it_is_only_displayed(path):
    assert path.stat().st_size < 700_000
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures(path))
    assert pictures(path)
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
        stream, shown = texts(cell)
        for text in (stream, *shown, cell.source):
            assert set(ABSOLUTE.findall(text)) <= URLS


@each_notebook
def test_its_links_and_pictures_are_there(path):
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def imported(tree):
    """Yield what is imported of kerashw: the module's name, and the name in it or nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "kerashw":
            yield from ((node.module, alias.name, alias.asname) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "kerashw":
                    yield alias.name, None, alias.asname


def assert_public(module_name, name):
    room = ".".join(module_name.split(".")[:2])
    assert room in PUBLIC or module_name in PUBLIC | {"kerashw"}, module_name
    module = importlib.import_module(module_name)
    names = getattr(module, "__all__", [name for name in vars(module) if name[0] != "_"])
    assert name in names or f"{module_name}.{name}" in PUBLIC, f"{module_name}.{name}"


@each_notebook
def test_it_uses_public_names_only(path):
    tree = ast.parse("\n".join(source(cell) for cell in code_cells(path)))
    modules = {}
    for module, name, alias in imported(tree):
        assert name, f"import {module}"
        assert_public(module, name)
        value = getattr(importlib.import_module(module), name)
        if isinstance(value, types.ModuleType):
            modules[alias or name] = value.__name__
    assert modules or list(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
            if isinstance(node.value, ast.Name) and node.value.id in modules:
                assert_public(modules[node.value.id], node.attr)


@pytest.mark.slow
@each_notebook
def test_running_it_again_gives_the_same(path, data, tmp_path):
    committed = nbformat.read(path, as_version=4)
    again = copy.deepcopy(committed)
    settings = {"timeout": 600, "kernel_name": "python3", "coalesce_streams": True}
    client = NotebookClient(again, resources={"metadata": {"path": str(tmp_path)}}, **settings)
    client.execute(env=os.environ | {"PYTHONPATH": str(ROOT)})
    for before, now in zip(committed.cells, again.cells, strict=True):
        if before.cell_type == "code":
            assert kinds(now) == kinds(before), now.source
            if "varies" not in before.metadata.get("tags", []):
                assert texts(now) == texts(before), now.source
    assert not list(tmp_path.iterdir())
