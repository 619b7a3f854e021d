"""The generated part of the documentation that shows the schemas of JSON output, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.tables import table

REFERENCE = Path(__file__).parents[1] / "docs/reference"


def schema_tables(folder: str) -> str:
    """Return what each schema in a folder of the reference says: its title, its description and its keys."""
    return "\n\n".join(map(_section, sorted((REFERENCE / folder).glob("*.json"))))


def _section(path: Path) -> str:
    schema = json.loads(path.read_text())
    variants = [one for key in ("oneOf", "anyOf") for one in schema.get(key, ())]
    # What the whole says of a key goes before what its variants say.
    rows = dict(row for one in (*variants, schema) for row in _rows(one, schema))
    intro = f"{schema.get('description', '')} The schema: [{path.name}]({path.relative_to(REFERENCE)})."
    head = f"## {schema['title']}\n\n{intro.strip()}"
    return f"{head}\n\n{table(('key', 'value', 'meaning'), rows.values())}"


def _rows(part: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str, str]]]:
    for name, about in part.get("properties", {}).items():
        if isinstance(about, dict):
            yield name, (f"`{name}`", _value(about, schema), about.get("description", ""))


def _value(about: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return what a value may be: its types, or the values themselves."""
    if "$ref" in about:
        about = {**schema["$defs"][about["$ref"].rpartition("/")[2]], **about}
    values = about.get("enum", [about["const"]] if "const" in about else [])
    if values:
        return ", ".join(f"`{json.dumps(one)}`" for one in values)
    types = about.get("type", "any")
    return " or ".join([types] if isinstance(types, str) else types)
