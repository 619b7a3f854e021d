"""The house rules that a reader of the imports can hold the code to."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (
    ("arguments", "errors", "layout", "output", "plain"),
    (
        "backoff",
        "colours",
        "credentials",
        "fastlist",
        "figures",
        "files",
        "keyboard",
        "metadata",
        "numberlist",
        "pictures",
        "plots",
        "progress",
        "sandbox",
        "settings",
        "textfile",
        "values",
        "wire",
    ),
    ("answers", "aws", "frames", "pieces", "pipeline", "screen", "summary", "typedlist"),
    ("bucket", "geometry", "histogram", "mailbox", "presentation", "resultnames", "terminal"),
    (
        "commandline",
        "custody",
        "deadletters",
        "inquiry",
        "menu",
        "onepass",
        "operations",
        "outage",
        "protection",
        "replyqueue",
        "report",
        "watch",
    ),
    ("outbox", "requester", "survey", "writing"),
    ("development", "handling", "partials", "replier"),
    ("darkroom", "longlists", "worker"),
    ("client", "daemon"),
    ("claimcheck", "gallery", "upkeep"),
    ("albums", "outcomes"),
    ("picturedesk",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "boto3": {"aws", "bucket"},
    "botocore": {"aws", "credentials"},
    "numpy": {"fastlist", "histogram", "onepass", "summary", "survey"},
    "PIL": {"colours", "development", "frames", "metadata", "operations", "pictures", "writing"},
    "rich": {"layout", "progress", "screen", "terminal"},
}
MODULES = sorted((ROOT / "courier").glob("*.py"))
PROGRAMS = sorted(ROOT.glob("*_client.py")) + sorted(ROOT.glob("*_worker.py"))


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
