"""Escape untrusted text for terminals and logs."""

from __future__ import annotations

#: The most characters of a text that are shown by default.
DEFAULT_LIMIT = 200


def printable(text: str, limit: int | None = DEFAULT_LIMIT) -> str:
    r"""Return `text` with every control or unprintable character as an escape (`\x1b`).

    Letters of any script are kept; line endings, escapes, bidirectional marks and lone surrogates are not.
    Text longer than `limit` characters is cut, with an ellipsis; None: no limit.
    """
    shown = text if limit is None or len(text) <= limit else text[: limit - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else _escape(char) for char in shown)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def quoted(text: str, limit: int = 40) -> str:
    """Return `text` printable and in single quotes, for use inside a sentence."""
    return f"'{printable(text, limit)}'"


def one_of(names: list[str] | tuple[str, ...]) -> str:
    """Join names for the end of a sentence: `a, b or c`."""
    head, last = names[:-1], names[-1]
    return f"{', '.join(head)} or {last}" if head else last
