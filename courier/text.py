"""Texts for people: untrusted text escaped, alternatives joined, the most similar name found."""

from __future__ import annotations

from collections.abc import Iterable

#: The most characters of a text that are shown by default.
DEFAULT_LIMIT = 200
#: How alike names must be to be meant, from 0 to 1: more than those that have only their suffix in common.
LEAST_LIKENESS = 0.65


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


def counted(count: int, noun: str) -> str:
    """Return a number with a noun: `1 request`, `1,000 requests`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def nearest(text: str, names: Iterable[str]) -> str:
    """Return the name that begins with `text` or is most like it, in letters of either case; empty if none is."""
    import difflib

    begun = text.lower()
    by_letters = {name.lower(): name for name in names}
    longer = [name for name in by_letters if begun and name.startswith(begun)]
    near = longer or difflib.get_close_matches(begun, by_letters, 1, LEAST_LIKENESS)
    return by_letters[near[0]] if near else ""


def one_of(names: list[str] | tuple[str, ...]) -> str:
    """Join names for the end of a sentence: `a, b or c`."""
    head, last = names[:-1], names[-1]
    return f"{', '.join(head)} or {last}" if head else last
