"""The house rules that a reader of the imports can hold the code to."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Each package may import those behind it, and numbers and images never meet.
BELOW = {
    "cli": {"numbers", "images", "monitoring", "messaging", "aws"},
    "numbers": {"messaging", "aws"},
    "images": {"messaging", "aws"},
    "monitoring": {"messaging", "aws"},
    "messaging": {"aws"},
    "testing": {"messaging", "aws"},
    "aws": set(),
}
#: What every package may import.
BASE = {
    "cancellation", "child_process", "confinement", "errors", "files", "machine", "memory_budget", "progress",
    "redaction", "sandbox", "sandbox_child", "settings", "text", "time_limit",
}  # fmt: skip
#: The one package that may import each of these.
OWNERS = {
    "argparse": "cli",
    "boto3": "aws",
    "botocore": "aws",
    "numpy": "numbers",
    "prometheus_client": "monitoring",
    "PIL": "images",
    "rich": "cli",
    "shtab": "cli",
}
#: What of `bench` only computes: it has tests, as any code.
MODELS = {"bench.fleet_queue", "bench.fleet_model", "bench.fleet_scaling"}
MODULES = sorted((ROOT / "courier").rglob("*.py"))
PROGRAMS = sorted(ROOT.glob("*_client.py")) + sorted(ROOT.glob("*_worker.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _nodes(path: Path) -> Sequence[ast.AST]:
    return [*ast.walk(_tree(path))]


@cache
def imports(path: Path, *, typing_too: bool = False) -> Sequence[str]:
    skipped = {
        id(node)
        for block in _nodes(path)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    return [name for node in _nodes(path) if typing_too or id(node) not in skipped for name in _imported(node)]


def _imported(node: ast.AST) -> Sequence[str]:
    """Return the modules that a statement imports, and of a package its parts by their own names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        is_package = (ROOT / node.module.replace(".", "/")).is_dir()
        return [f"{node.module}.{alias.name}" for alias in node.names] if is_package else [node.module]
    return []


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def package_of(name: str) -> str:
    """Return the package of courier that a module is in; an empty string if it is in none."""
    _, *parts = name.split(".")
    return parts[0] if parts and parts[0] in BELOW else ""


NAMES = {name_of(path): path for path in MODULES}


def ours(path: Path, *, typing_too: bool) -> set[str]:
    """Return the modules of courier that a module imports."""
    found = imports(path, typing_too=typing_too)
    return {name if name in NAMES else name.rpartition(".")[0] for name in found if name.split(".")[0] == "courier"}


def test_a_package_imports_those_below_it() -> None:
    public = {"courier"}  # the public API, loaded when it is used
    pairs = [(name, other) for name in NAMES.keys() - public for other in ours(NAMES[name], typing_too=True)]

    assert [f"{name} may not import {other}" for name, other in pairs if not _may_import(name, other)] == []


def _may_import(name: str, other: str) -> bool:
    base = {f"courier.{one}" for one in BASE} | {"courier"}
    package = package_of(name)
    if package_of(other):
        return package_of(other) in {package, *BELOW.get(package, BELOW)}
    return other in base or not (package or name in base)


def test_no_module_is_imported_by_what_it_imports() -> None:
    left = {name: ours(path, typing_too=False) - {name, "courier"} for name, path in NAMES.items()}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def test_each_outside_package_has_one_door() -> None:
    pairs = [(path, name) for path in MODULES + PROGRAMS for name in imports(path)]

    assert [f"{name_of(path)} may not import {name}" for path, name in pairs if not _is_its_door(path, name)] == []


def _is_its_door(path: Path, name: str) -> bool:
    owner = OWNERS.get(name.partition(".")[0])
    package = package_of(name_of(path)).replace("testing", "aws")  # it plays the part of AWS's library
    return owner is None or not package or package == owner


def test_no_module_and_no_function_is_too_long() -> None:
    functions = [
        (path, node) for path in MODULES + PROGRAMS for node in _nodes(path) if isinstance(node, ast.FunctionDef)
    ]

    assert [path for path in MODULES + PROGRAMS if path.read_text().count("\n") > 300] == []
    assert [(path, node.name) for path, node in functions if (node.end_lineno or 0) - node.lineno + 1 > 40] == []


def test_every_module_can_be_imported() -> None:
    """Here its import is measured, too: programs under test are forks of a process that has it behind it."""
    for path in MODULES:
        assert import_module(name_of(path)).__file__ == str(path)


def test_no_program_is_named_like_a_module_of_the_standard_library() -> None:
    assert [path.stem for path in PROGRAMS if path.stem in sys.stdlib_module_names] == []


def test_tests_and_benches_meet_in_what_is_for_both() -> None:
    for path in (*ROOT.glob("bench/*.py"), *ROOT.glob("scripts/*.py"), *ROOT.glob("tests/support/*.py")):
        assert [
            name for name in imports(path, typing_too=True) if name.startswith("tests") and not _is_support(name)
        ] == [], path
    for path in (ROOT / "tests").rglob("*.py"):
        assert [name for name in imports(path, typing_too=True) if _is_bench(name)] == [], path


def _is_bench(name: str) -> bool:
    package, *inside = name.split(".")
    return package == "bench" and ".".join([package, *inside[:1]]) not in MODELS


def _is_support(name: str) -> bool:
    return name == "tests.support" or name.startswith("tests.support.")
