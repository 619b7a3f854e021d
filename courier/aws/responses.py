"""Checks of AWS responses where they are read: after the call, before they are used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from courier.errors import Unreachable
from courier.redaction import scrub
from courier.text import printable


def needed(doing: str, response: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401  JSON's values
    """Return what stands under `names` in a response of AWS's, one within the other.

    Raises: Unreachable if it is not there: AWS always sends what is asked for here.
    """
    found: Any = response
    for name in names:
        if not isinstance(found, Mapping) or name not in found:
            raise unlike_aws(doing, f"without {name}")
        found = found[name]
    return found


def needed_number(doing: str, response: Mapping[str, Any], *names: str) -> float:
    """Return the number that stands under `names`, as `needed` does."""
    value = needed(doing, response, *names)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise unlike_aws(doing, f"no number in {names[-1]}") from error


def unlike_aws(doing: str, what: str) -> Unreachable:
    """Return the error that what answers is no AWS: a proxy, or another server; `what` tells why."""
    message = f"Could not {doing}: the response is not one of AWS ({what})."
    return Unreachable(message, hint=endpoint_hint("Check AWS_ENDPOINT_URL{}, and whether a proxy is in between."))


def endpoint_hint(text: str) -> str:
    """Put the endpoint, where one is set, into the place that `text` has for it."""
    url = os.environ.get("AWS_ENDPOINT_URL", "")
    return text.format(f" ({printable(scrub(url), 80)})" if url else "")
