"""The house rules that a reader of the imports can hold the code to."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (
    ("arguments", "backoff", "cancellation", "envelope", "errors", "layout", "output", "plain", "progress", "redaction"),
    ("decoding", "hints"),
    (
        "aws_responses",
        "colours",
        "fastlist",
        "figures",
        "files",
        "keyboard",
        "keyfile",
        "lockfile",
        "metadata",
        "numberlist",
        "outage",
        "pictures",
        "live",
        "plots",
        "sandbox",
        "settings",
        "signals",
        "textfile",
        "values",
        "wire",
    ),
    (
        "answers",
        "aws_environment",
        "commandline",
        "credentials",
        "frames",
        "notation",
        "pieces",
        "pipeline",
        "screen",
        "summary",
        "typedlist",
    ),
    ("aws_errors", "terminal"),
    ("aws", "failures", "menu"),
    ("bucket", "columns", "geometry", "histogram", "mailbox", "presentation", "resultnames"),
    ("custody", "deadletters", "inquiry", "onepass", "operations", "protection", "replyqueue", "report", "watch"),
    ("listsource", "outbox", "requester", "survey", "writing"),
    ("backlog", "development", "handling", "partials"),
    ("replier",),
    ("darkroom", "longlists", "worker"),
    ("client", "daemon"),
    ("bootstrap", "claimcheck", "gallery", "upkeep"),
    ("albums", "numberarguments", "outcomes"),
    ("picturedesk",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "boto3": {"aws", "bucket"},
    "botocore": {"aws", "aws_errors", "credentials"},
    "numpy": {"fastlist", "histogram", "onepass", "summary", "survey"},
    "PIL": {"colours", "development", "frames", "metadata", "operations", "pictures", "writing"},
    "rich": {"layout", "live", "screen", "terminal"},
}
MODULES = sorted((ROOT / "courier").glob("*.py"))
PROGRAMS = sorted(ROOT.glob("*_client.py")) + sorted(ROOT.glob("*_worker.py"))
#: Tests of programs of bench/: the README shows what these print.
TESTS_OF_BENCHES = {"test_readme": {"bench.awkward", "bench.operations"}}


def imports(path: Path, *, typing_too: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in skipped and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                [f"courier.{alias.name}" for alias in node.names] if node.module == "courier" else [node.module]
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_lower_layers_only(path: Path) -> None:
    if path.stem == "__init__":
        return
    for name in imports(path, typing_too=True):
        if name.startswith("courier."):
            imported = name.split(".")[1]
            assert LEVEL[imported] < LEVEL[path.stem], f"{path.stem} may not import {imported}"


@pytest.mark.parametrize("path", MODULES + PROGRAMS, ids=lambda path: path.stem)
def test_each_outside_package_has_one_door(path: Path) -> None:
    for name in imports(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or path.stem in owners, f"{path.stem} may not import {name}"


@pytest.mark.parametrize("path", MODULES + PROGRAMS, ids=lambda path: path.stem)
def test_no_module_and_no_function_is_too_long(path: Path) -> None:
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]

    assert text.count("\n") <= 300
    assert [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > 40] == []


def test_no_program_is_named_like_a_module_of_the_standard_library() -> None:
    assert [path.stem for path in PROGRAMS if path.stem in sys.stdlib_module_names] == []


def test_tests_and_benches_meet_in_what_is_for_both() -> None:
    for path in (*ROOT.glob("bench/*.py"), *ROOT.glob("tests/support/*.py")):
        assert [name for name in _modules(path) if name.startswith("tests") and not _is_support(name)] == [], path
    for path in (ROOT / "tests").rglob("*.py"):
        benches = {name for name in _modules(path) if name.split(".")[0] == "bench"}
        assert benches <= TESTS_OF_BENCHES.get(path.stem, set()), path


def _is_support(name: str) -> bool:
    return name == "tests.support" or name.startswith("tests.support.")


def _modules(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, and of a package its parts by their own names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            is_package = (ROOT / node.module.replace(".", "/")).is_dir()
            yield from [f"{node.module}.{alias.name}" for alias in node.names] if is_package else [node.module]
