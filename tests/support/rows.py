"""Rows that programs write as JSON, held to the schemas of docs/reference/json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.place import ROOT


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what holds rows to a schema, which is one itself."""
    schema = json.loads((ROOT / f"docs/reference/json/{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def rows(text: str, schema: str) -> list[dict[str, Any]]:
    """Return the rows of an output, each of which fits its schema."""
    found = [json.loads(line) for line in text.splitlines()]
    for row in found:
        validator(schema).validate(row)
    return found
