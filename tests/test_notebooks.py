"""The notebooks are committed with their outputs, and a new run has the same outputs."""

import ast
import base64
import copy
import importlib
import os
import re
import types

import nbformat
import pytest
from nbclient import NotebookClient

import kerashw
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = {f"kerashw.{name}" for name in kerashw.__all__} | {
    "kerashw.console",
    "kerashw.model_names",
    "kerashw.serve.client",
    "kerashw.train.results",
    "kerashw.verify.claims",
    "kerashw.verify.diagonal_proof",
}
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/([\w.-]+)/")
URL_PATHS = {"v1", "page"}  # Any other absolute path is a folder of the author's machine.

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def python_source(cell):
    """Return the source of a cell with `pass` instead of the lines for IPython."""
    return re.sub(r"^( *)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE)


def output_texts(cell):
    """Return the printed text of a cell, and the texts of its displayed objects."""
    streams = [output.text for output in cell.outputs if output.output_type == "stream"]
    displayed = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return "".join(streams), displayed


def output_types(cell):
    return [(output.output_type, sorted(output.get("data", {}))) for output in cell.outputs]


def pictures(path):
    outputs = [output for cell in code_cells(path) for output in cell.outputs if "data" in output]
    return [output.data["image/png"] for output in outputs if "image/png" in output.data]


def test_each_question_serving_embeddings_and_own_images_have_a_notebook():
    names = ["1-backprop", "2-hypotheses", "3-diagonals", "4-mnist", "5-serving", "6-embeddings"]
    names.append("7-your-own-images")
    assert [path.stem for path in NOTEBOOKS] == names


@each_notebook
def test_all_cells_were_run_in_order(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        last = ast.parse(python_source(cell)).body[-1]
        if isinstance(last, ast.Expr) or "print(" in cell.source:
            assert cell.outputs, cell.source


@each_notebook
def test_outputs_have_pictures_and_no_errors_or_local_paths(path):
    assert path.stat().st_size < 700_000
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures(path))
    assert pictures(path)
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
        printed, displayed = output_texts(cell)
        for text in (printed, *displayed, cell.source):
            assert set(ABSOLUTE_PATH.findall(text)) <= URL_PATHS


@each_notebook
def test_linked_files_exist(path):
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def imports_of_kerashw(tree):
    """Yield (module, name in the module, alias) for each import; without a name, it is None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "kerashw":
            yield from ((node.module, alias.name, alias.asname) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "kerashw":
                    yield alias.name, None, alias.asname


def assert_public(module_name, name):
    if f"{module_name}.{name}" in PUBLIC:
        return
    package = ".".join(module_name.split(".")[:2])
    assert package in PUBLIC or module_name in PUBLIC, module_name
    module = importlib.import_module(module_name)
    names = getattr(module, "__all__", [name for name in vars(module) if name[0] != "_"])
    assert name in names, f"{module_name}.{name}"


@each_notebook
def test_only_public_names_are_used(path):
    tree = ast.parse("\n".join(python_source(cell) for cell in code_cells(path)))
    modules = {}
    for module, name, alias in imports_of_kerashw(tree):
        assert name, f"import {module}"
        assert_public(module, name)
        value = getattr(importlib.import_module(module), name)
        if isinstance(value, types.ModuleType):
            modules[alias or name] = value.__name__
    assert modules or list(imports_of_kerashw(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
            if isinstance(node.value, ast.Name) and node.value.id in modules:
                assert_public(modules[node.value.id], node.attr)


@pytest.mark.slow
@each_notebook
def test_a_new_run_has_the_same_outputs(path, data, tmp_path):
    committed = nbformat.read(path, as_version=4)
    new = copy.deepcopy(committed)
    settings = {"timeout": 600, "kernel_name": "python3", "coalesce_streams": True}
    client = NotebookClient(new, resources={"metadata": {"path": str(tmp_path)}}, **settings)
    client.execute(env=os.environ | {"PYTHONPATH": str(ROOT)})
    for before, after in zip(committed.cells, new.cells, strict=True):
        if before.cell_type == "code":
            assert output_types(after) == output_types(before), after.source
            if "varies" not in before.metadata.get("tags", []):
                assert output_texts(after) == output_texts(before), after.source
    assert not list(tmp_path.iterdir())
