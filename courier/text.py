"""Foreign text made safe to show: the one place that decides what a terminal or a log may contain."""

from __future__ import annotations

#: What is shown of a text by default: enough to recognize it, too little to flood a screen.
DEFAULT_LIMIT = 200


def printable(text: str, limit: int | None = DEFAULT_LIMIT) -> str:
    r"""Return `text` with every control or unprintable character written as an escape (`\x1b`).

    Letters of any script pass; line endings, escapes, bidirectional marks and lone surrogates do not.
    Longer than `limit` characters, it ends in an ellipsis; `None` sets no limit.
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
    """Return the known names as the end of a sentence: `a, b or c`."""
    head, last = names[:-1], names[-1]
    return f"{', '.join(head)} or {last}" if head else last
