"""Imports go one way: a room may import the rooms below it."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import kerashw

PACKAGE = pathlib.Path(kerashw.__file__).parent

# Each room's floor, as in CONTRIBUTING.md.
FLOORS = {
    "errors": 0,
    "files": 0,
    "registration": 0,
    "environment": 0,
    "backprop": 1,
    "layers": 1,
    "datasets": 1,
    "drawings": 1,
    "optimizers": 1,
    "metrics": 1,
    "hypotheses": 2,
    "models": 2,
    "signatures": 2,
    "results": 2,
    "diagonal_proof": 2,
    "diagonal_figures": 3,
    "rendezvous": 1,
    "replicas": 2,
    "fitting": 3,
    "distribution": 4,
    "export": 3,
    "panels": 2,
    "figures": 3,
    "diagrams": 3,
    "model_diagrams": 3,
    "runs": 3,
    "settings": 3,
    "report": 4,
    "claim_figures": 4,
    "benchmark_figures": 4,
    "agreement": 5,
    "training": 6,
    "console": 5,
    "__main__": 6,
    "benchmarks": 7,
    "benchmark": 8,
    "claims": 7,
    "display": 7,
    "claim_display": 8,
    "serve": 7,
    "train": 8,
    "verify": 9,
}


def rooms():
    names = (path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in modules())
    return sorted({name for name in names if name != "__init__"})


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def rooms_imported_by(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "kerashw" and rest.partition(".")[0] in FLOORS:
                yield rest.partition(".")[0]


def test_every_room_has_a_floor():
    assert rooms() == sorted(FLOORS)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(module):
    room = module.relative_to(PACKAGE).parts[0].removesuffix(".py")
    floor = FLOORS.get(room, 1)  # the package itself, __init__, may import the ground floor
    for imported in rooms_imported_by(module):
        if imported != room:
            assert FLOORS[imported] < floor, f"{room} imports {imported}"


def test_the_server_knows_saved_models_only():
    imported = {
        room for module in (PACKAGE / "serve").rglob("*.py") for room in rooms_imported_by(module)
    }
    assert imported <= {"serve", "errors", "console"}


def test_the_map_in_contributing_names_every_room():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for room, floor in FLOORS.items():
        row = rf"^\| {floor} \| (`[\w./]+`, )*`{room}(\.py|/)`"
        assert re.search(row, text, re.MULTILINE), room


def test_importing_kerashw_imports_no_framework():
    script = "import sys, kerashw; assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_every_room_is_reached_from_the_package():
    for room in kerashw.__all__:
        assert getattr(kerashw, room) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = kerashw.nosuch
