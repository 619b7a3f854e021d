"""Parse numbers that are typed: as arguments, or at a prompt, where several lines may be pasted at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from courier.errors import Rejected
from courier.numbers import parser

#: What a hint says of options, which cannot be typed at a prompt.
_OR_OPTION = re.compile(r", or [a-z ]*--[^.]*")
_WITH_OPTION = re.compile(r"With --[^.]*\.")


def joined(words: Sequence[str]) -> str:
    """Join arguments into a list, separated by blanks. Raises: Rejected if one of several is empty."""
    for number, word in enumerate(words, start=1):
        if len(words) > 1 and not word.strip():
            raise Rejected(
                f"Argument {number:,} is empty.", hint="Was a variable not set? Write a number, or leave it out."
            )
    return " ".join(words)


def numbers_or_end(text: str) -> list[str]:
    """Return the numbers of a line, or of several pasted lines; none for an empty answer.

    Each line is parsed as a list. Raises: Rejected, naming the invalid line, with a hint that names no option.
    """
    try:
        return _numbers(text)
    except Rejected as error:
        error.hint = without_options(error.hint)
        raise


def without_options(hint: str) -> str:
    """Return a hint for a prompt, where no option can be given."""
    return _WITH_OPTION.sub("Write decimals with a point.", _OR_OPTION.sub("", hint))


def _numbers(text: str) -> list[str]:
    if not text.strip():
        return []
    lines = text.strip("\r\n").splitlines()
    if len(lines) == 1:
        return parser.split(lines[0])
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            # The first line may be a header: parse it as a list in lines, for the hint.
            found += parser.split(f"{line}\n0")[:-1] if number == 1 and line.strip() else parser.split(line)
        except Rejected as error:
            raise _in_line(number, line, error) from error
    return found


def _in_line(number: int, line: str, error: Rejected) -> Rejected:
    """Return the error of one of several lines, with the line's number."""
    if not line.strip():
        return Rejected(f"Line {number:,} is empty.", hint="Write a number there, or delete the line.")
    rejected = Rejected(f"Line {number:,}: {error.message}", hint=error.hint)
    rejected.drawing = error.drawing
    return rejected
