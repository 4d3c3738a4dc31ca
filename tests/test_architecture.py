"""The map in CONTRIBUTING.md is true: who imports whom, and how large modules are."""

import ast
import functools
import graphlib
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

import kerashw
from tests.conftest import ROOT

PACKAGE = pathlib.Path(kerashw.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_ROWS, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 24, 300, 60
COMMANDS = {"train", "predict", "evaluate", "verify", "benchmark", "serve"}


class Row(NamedTuple):
    """A row of the map: the layer of a part, and the layers and parts that it may import."""

    layer: int
    layers: range
    parts: set


def read_map():
    """Return the map: name of a top-level module or package → `Row`."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (`[^|]*) \| [^|]* \| ([^|]*) \|$", text, re.MULTILINE)
    assert 0 < len(rows) <= MOST_ROWS
    found = {}
    for layer, names, imports in rows:
        first, last = re.match(r"(?:(\d)(?:–(\d))?)?", imports).groups()
        layers = range(int(first), int(last or first) + 1) if first else range(0)
        for name in names_in(names):
            assert name not in found, f"{name} is in two rows"
            found[name] = Row(int(layer), layers, names_in(imports))
    return found


def names_in(cell):
    return {name.removesuffix(".py").removesuffix("/") for name in re.findall(r"`([^`]*)`", cell)}


def part_of(module):
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(module):
    parts = ("kerashw", *module.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@functools.cache
def tree_of(module):
    return ast.parse(module.read_text(encoding="utf-8"))


@functools.cache
def imported_by(module):
    """Return the names of the modules of kerashw that a module imports, wherever in it."""
    known = {name_of(other) for other in MODULES}
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.partition(".")[0] == "kerashw"}


MAP = read_map()
by_module = pytest.mark.parametrize("module", MODULES, ids=name_of)


def test_the_map_has_every_part():
    assert {part_of(module) for module in MODULES} - {"__init__"} == set(MAP)


@by_module
def test_imports_follow_the_map(module):
    part = part_of(module)
    if part == "__init__":
        assert not imported_by(module)
        return
    row = MAP[part]
    for name in imported_by(module) - {"kerashw"}:
        imported = name.split(".")[1]
        allowed = MAP[imported].layer in row.layers or imported in row.parts
        assert imported == part or allowed, f"{part} imports {name}"


def test_the_map_goes_one_way():
    for part, row in MAP.items():
        assert row.layers.stop <= row.layer, part
        assert all(MAP[name].layer <= row.layer for name in row.parts), part


def test_no_command_is_imported_from_outside_the_commands():
    for module in MODULES:
        if part_of(module) not in COMMANDS:
            found = {name.split(".")[1] for name in imported_by(module) if "." in name}
            assert not found & COMMANDS, module


def test_no_modules_import_each_other_in_a_circle():
    graph = {name_of(module): imported_by(module) - {name_of(module)} for module in MODULES}
    graphlib.TopologicalSorter(graph).prepare()


@by_module
def test_no_module_is_a_heap(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@by_module
def test_no_function_is_long(module):
    for node in ast.walk(tree_of(module)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[1 if ast.get_docstring(node) and node.body[1:] else 0]
            lines = node.end_lineno - first.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"


# The one module for each library that uses its private names; what is there is tested by name.
PRIVATE = {"keras_private", "tensorflow_private", "uvicorn_connection"}
PUBLIC_OF_NAMED_TUPLES = {"_replace", "_fields", "_asdict"}


@by_module
def test_private_names_of_other_libraries_are_used_in_one_module_each(module):
    if module.stem in PRIVATE:
        return
    attributes = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Attribute)]
    used = {node.attr for node in attributes if re.match(r"_[a-z]", node.attr)}
    ours = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    ours |= {
        node.name
        for node in ast.walk(tree_of(module))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert used <= ours | PUBLIC_OF_NAMED_TUPLES


def test_importing_kerashw_imports_no_framework():
    script = "import sys, kerashw; assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_every_public_module_is_reached_from_the_package():
    for name in kerashw.__all__:
        assert getattr(kerashw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = kerashw.nosuch


def test_the_import_paths_of_version_1_go_on_working():
    script = """
import kerashw.layers, kerashw.fitting, kerashw.serve.client
from kerashw.backprop import check_gradients, homework_network
from kerashw.datasets import diagonals, mnist
from kerashw.datasets.pipeline import Batches
from kerashw.distribution import fit, strategy
from kerashw.errors import InputError
from kerashw.export import export_saved_model, write_models_config
from kerashw.fitting import fit
from kerashw.hypotheses import collapse, collapse_model, expand
from kerashw.layers import Dense, DiagonalCount, Dropout, FactoredDense
from kerashw.metrics import Accuracy
from kerashw.models import convnet, diagonal_classifier, mlp, softmax_regression
from kerashw.optimizers import Adadelta
from kerashw.serve.client import Client
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
