"""Every text that people may read, gathered from the code into one file that is reviewed as prose.

    python -m tests.support.messages     writes tests/golden/messages.txt again

A text is a string of two words or more that is no docstring, but for those of the errors, which are their default
messages. Values are shown as the code that makes them, in braces. In shell scripts it is what follows a verb of speech.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "messages.txt"
#: Calls whose strings are patterns or code and nobody's to read.
_PATTERNS = ("compile", "fullmatch", "sub", "match", "search", "finditer")
_NOT_PROSE = (*_PATTERNS, "getLogger", "TypeVar", "cast", "on_instance")
_WORDS = re.compile(r"[A-Za-z]{2,}[,.:;)'…]* +\S*[A-Za-z{]")
_SPOKEN = re.compile(r"\b(?:say|die|die_with_aws_error|printf|note|warn|reject|step|good|bad|usage)\b[^\"'\n]*\"")
#: A value in a message: the code that makes it, in braces or behind a dollar sign. The innermost goes first.
_VALUE = re.compile(r"\{[^{}]*\}|\$\([^()]*\)|\$\w+|%[sd]|%\.\df")
_HOLE = "\0"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def messages() -> str:
    """Return the whole file as it should be."""
    parts = []
    for path in _sources():
        found = list(dict.fromkeys(_of_shell(path) if path.suffix == ".sh" else _of_python(path)))
        if found:
            parts.append("\n".join([f"# {path.relative_to(ROOT)}", *(text.replace("\n", "\n    ") for text in found)]))
    return "\n\n".join(parts) + "\n"


def whole_messages(least_words: int) -> re.Pattern[str]:
    """Return a pattern of the golden file's lines, with any values, that have `least_words` other words."""
    lines = (line.strip() for line in GOLDEN.read_text().splitlines() if not line.startswith("# "))
    shapes = {_without_values(line).rstrip(".") for line in lines}
    spoken = [shape for shape in sorted(shapes) if len(re.findall(r"[A-Za-z]{2,}", shape)) >= least_words]
    return re.compile("|".join(re.escape(shape).replace(re.escape(_HOLE), ".+?") + r"\.?" for shape in spoken))


def _without_values(line: str) -> str:
    while (shorter := _VALUE.sub(_HOLE, line)) != line:
        line = shorter
    return line.replace("$" + _HOLE, _HOLE)


def literals(path: Path) -> Iterator[str]:
    """Yield all strings of a Python file, with values as the code that makes them."""
    return (text for node in ast.walk(ast.parse(path.read_text())) if (text := _text(node)))


def _sources() -> list[Path]:
    patterns = ("*.py", "courier/**/*.py", "scripts/verify/*.py", "*.sh", "setup/**/*.sh")
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def _of_python(path: Path) -> Iterator[str]:
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    skipped = _docstrings(nodes, keep_classes=path == ROOT / "courier" / "errors.py") | _patterns(nodes)
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    strings = [node for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr)]
    for node in sorted(strings, key=lambda node: (node.lineno, node.col_offset)):
        if id(node) in skipped:
            continue
        text = _text(node) if isinstance(node, ast.JoinedStr) or id(node) not in inside else ""
        if _WORDS.search(text):
            yield text.strip()


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{" + ast.unparse(part.value) + "}"
        for part in node.values
        if isinstance(part, ast.Constant | ast.FormattedValue)
    )


def _docstrings(nodes: Sequence[ast.AST], *, keep_classes: bool) -> set[int]:
    kept = ast.ClassDef if keep_classes else ()
    return {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not isinstance(node, kept)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def _patterns(nodes: Sequence[ast.AST]) -> set[int]:
    calls = [node for node in nodes if isinstance(node, ast.Call) and _name(node.func) in _NOT_PROSE]
    return {id(part) for call in calls for part in ast.walk(call)}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _of_shell(path: Path) -> Iterator[str]:
    lines = path.read_text().replace("\\\n", " ").splitlines()
    header = takewhile(lambda line: line.startswith("#"), lines)  # which is the script's --help
    yield from (line.removeprefix("#").strip() for line in header if _WORDS.search(line))
    for line in lines:
        if not line.lstrip().startswith("#") and _SPOKEN.search(line):
            yield from (text for text in _QUOTED.findall(line) if _WORDS.search(text))


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(messages())
