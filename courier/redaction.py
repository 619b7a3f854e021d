"""Secrets that must appear neither on a screen nor in a log."""

from __future__ import annotations

import re
import threading

#: What stands for a secret.
HIDDEN = "***"
#: A shorter value is no secret of AWS's (a local AWS takes "test"), and would be found in ordinary words.
SHORTEST_SECRET = 8
#: User and password in a URL.
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")

_lock = threading.Lock()
_secrets: set[str] = set()


def remember(*values: str | None) -> None:
    """Hide these values in every text that `scrub` is given from now on."""
    with _lock:
        _secrets.update(value.strip() for value in values if value and len(value.strip()) >= SHORTEST_SECRET)


def scrub(text: str) -> str:
    """Return `text` without secret values, and without the user and password of a URL."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return _USER_INFO.sub(HIDDEN, text)
