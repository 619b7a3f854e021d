"""The rows of the images client with --json, all with the same fields (docs/reference/json/images.json)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from courier.errors import CourierError, Rejected

if TYPE_CHECKING:
    from courier.images.transfer import Result

_EMPTY: dict[str, Any] = {
    #: upload, process, download, run, show or skip.
    "step": "",
    #: The source, the result, the file of the result, and the operations.
    "name": None,
    "result": None,
    "path": None,
    "operations": None,
    "width": None,
    "height": None,
    "frames": None,
    "bytes": None,
    "etag": None,
    "was_there": False,
    "notes": [],
    "error": None,
    "reason": None,
    "seconds": None,
}


def row(step: str, **fields: object) -> str:
    """Return a line of JSON; missing fields are null. Raises: KeyError for an unknown field."""
    unknown = fields.keys() - _EMPTY.keys()
    if unknown:
        raise KeyError(*unknown)
    return json.dumps({**_EMPTY, "step": step, **fields})


def of_result(result: Result) -> dict[str, object]:
    """Return the fields of a result, as far as the worker's details are valid."""
    return {
        "result": result.name,
        **result.numbers,
        "etag": result.etag or None,
        "seconds": round(result.seconds, 3),
        "was_there": result.was_there,
        "notes": result.notes,
    }


def of_error(error: CourierError) -> dict[str, object]:
    """Return the fields of an error."""
    reason = error.reason if isinstance(error, Rejected) else ""
    return {"error": error.sentence, "reason": reason or None}
