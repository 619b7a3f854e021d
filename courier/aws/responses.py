"""Check AWS responses after the call, where they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from courier.errors import Unreachable
from courier.redaction import scrub
from courier.text import printable


def needed(doing: str, response: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401  JSON's values
    """Return the value at the path `names` in an AWS response.

    Raises: Unreachable if it is missing, since AWS always sends it.
    """
    found: Any = response
    for name in names:
        if not isinstance(found, Mapping) or name not in found:
            raise not_from_aws(doing, f"without {name}")
        found = found[name]
    return found


def needed_number(doing: str, response: Mapping[str, Any], *names: str) -> float:
    """Return the number at the path `names`, as `needed` does."""
    value = needed(doing, response, *names)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise not_from_aws(doing, f"no number in {names[-1]}") from error


def not_from_aws(doing: str, what: str) -> Unreachable:
    """Return the error for a response that a proxy or another server sent; `what` says why."""
    message = f"Could not {doing}: the response is not one of AWS ({what})."
    return Unreachable(message, hint=endpoint_hint("Check AWS_ENDPOINT_URL{}, and whether a proxy is in between."))


def endpoint_hint(text: str) -> str:
    """Fill the endpoint, if it is set, into `text` at `{}`."""
    url = os.environ.get("AWS_ENDPOINT_URL", "")
    return text.format(f" ({printable(scrub(url), 80)})" if url else "")
