"""Rules that hold for every file: who may import whom, sizes, names, nothing unsafe, no test without an assertion."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import doxa

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "doxa"
FILES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

LEAVES = {"types", "errors"}
MAY_IMPORT: dict[str, set[str]] = {
    "types": {"inquiry"},  # for annotations alone
    "errors": set(),
    "registry": {"errors"},
    "text": {"errors", "types"},
    "prices": LEAVES,
    "prompts": LEAVES,
    "files": {"errors"},
    "wheels": {"errors"},
    "carving": set(),
    "journal": LEAVES | {"carving"},
    "merging": LEAVES | {"journal", "runs", "upkeep"},
    "upkeep": LEAVES | {"carving", "journal"},
    "inquiry": LEAVES | {"text", "journal", "prices"},
    "questions": LEAVES | {"files", "text", "registry", "recordings", "shelf"},
    "recordings": LEAVES | {"registry"},
    "grading": LEAVES | {"text", "registry", "inquiry"},
    "models": LEAVES | {"text", "prompts", "journal", "inquiry", "recordings", "wheels"},
    "services": LEAVES | {"registry", "journal", "inquiry", "prompts", "models", "wheels"},
    "estimators": LEAVES | {"text", "inquiry", "prompts", "metrics"},
    "state": {"errors", "registry"},
    "calibrators": LEAVES | {"registry", "metrics", "state"},
    "policies": LEAVES | {"registry", "metrics", "state"},
    "metrics": LEAVES | {"registry"},
    "runs": LEAVES | {"files", "report", "journal"},
    "analysis": LEAVES | {"budgets", "changes", "faithful", "metrics", "calibrators", "registry"},
    "budgets": LEAVES | {"metrics"},
    "changes": {"metrics"},
    "faithful": {"metrics"},
    "streaming": LEAVES | {"metrics", "scoring"},
    "logged": LEAVES | {"calibrators", "metrics", "policies", "registry"},
    "loading": LEAVES | {"registry", "models", "text"},
    "acting": LEAVES | {"inquiry", "prompts"},
    "acted": LEAVES
    | {"acting", "calibrators", "flow", "inquiry", "items", "journal", "many", "metrics", "prices", "runs", "services"},
    "delegating": LEAVES | {"inquiry", "policies", "prompts", "text"},
    "delegated": LEAVES
    | {
        "calibrators",
        "delegating",
        "flow",
        "inquiry",
        "journal",
        "many",
        "metrics",
        "policies",
        "runs",
        "shelf",
        "text",
    },
    "flow": LEAVES
    | {"acting", "inquiry", "journal", "registry", "prompts", "prices", "grading", "analysis", "runs"}
    | {"calibrators", "counting", "described", "items", "many", "services", "shelf"},
    "items": LEAVES | {"runs"},
    "described": LEAVES | {"flow", "inquiry", "prompts", "runs", "shelf"},  # flow for annotations alone
    "shelf": {"types"},
    "many": LEAVES | {"inquiry", "runs"},
    "counting": LEAVES | {"inquiry"},
    "engines": LEAVES | {"flow", "inquiry", "journal", "loading", "many", "prices", "registry", "runs", "services"},
    "choosing": LEAVES | {"registry", "counting", "flow", "inquiry", "services"},
    "report": LEAVES | {"files", "metrics", "text"},
    "batches": LEAVES | {"files", "flow", "inquiry", "journal", "many", "models", "runs", "services"},
    "training": LEAVES | {"estimators", "files", "flow", "inquiry", "journal", "many", "prompts", "runs"},
}
DOORS = {"cascading", "cli", "client", "door", "scoring", "contests"}
UNSAFE_MODULES = {"pickle", "dill", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} if node.module != "doxa" else {f"doxa.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_rooms_import_only_what_the_architecture_allows(path: Path) -> None:
    room = room_of(path)
    if room in DOORS or room == "__init__":
        return
    assert room in MAY_IMPORT, f"{room} is not in the table of rooms"
    used = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("doxa.")}
    assert used - {room, "__version__"} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", FILES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is too long"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_unsafe_is_used(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not {name.split(".")[0] for name in imports(tree)} & UNSAFE_MODULES
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in UNSAFE_CALLS
            assert name not in {"yaml.load", "torch.load", "os.system"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_asserts(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            code = ast.dump(node)
            checks = ("Assert(", "'raises'", "assert_", "check_", "'valid'")
            assert any(check in code for check in checks), f"{node.name} checks nothing"


def packages() -> list[ModuleType]:
    walked = pkgutil.walk_packages(doxa.__path__, "doxa.")
    return [doxa, *(importlib.import_module(info.name) for info in walked if info.ispkg)]


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.__name__)
def test_no_function_has_the_name_of_a_module_beside_it(package: ModuleType) -> None:
    for info in pkgutil.iter_modules(package.__path__):
        assert not callable(getattr(package, info.name, None)), f"{package.__name__}.{info.name} is a function"


def test_importing_doxa_and_the_command_line_is_light() -> None:
    heavy = {"torch", "transformers", "scipy", "polars", "matplotlib", "pandas", "sklearn", "aiohttp", "numpy"}
    code = "import sys, doxa.cli.main; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
