r"""Split a typed line into words as a shell does, and write a word so that it is read as one again.

Quotes and backslashes are understood as terminals write dropped files: `My\ Cat.png` (macOS), `'My Cat.png'` (GNOME,
KDE) and `"C:\Users\me\My Cat.png"` (Windows), where a backslash separates folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from courier.errors import WrongUsage

_BLANKS = " \t\r\n"
_QUOTES = ("'", '"')
#: A part of a word, in which a backslash escapes the next character, or is a character as any other.
_PART = re.compile(r"""'[^']*'?|"(?:\\.|[^"\\])*"?|\\.|.""", re.DOTALL)
_PART_ON_WINDOWS = re.compile(r"""'[^']*'?|"[^"]*"?|.""", re.DOTALL)
_URL = re.compile(r"file://[^ \t\r\n]*")
#: The beginning of a path of Windows, which may be typed elsewhere, too.
_DRIVE = re.compile(r"""['"]?[A-Za-z]:\\""")


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a line."""

    text: str
    #: Where it begins and ends in the line, with its quotes.
    start: int
    end: int
    #: Whether some of it is in quotes or escaped.
    is_quoted: bool = False
    #: The quote that is still open at its end; empty: none.
    open_quote: str = ""


def split(line: str, separators: str = "") -> list[Word]:
    """Return the words of a line, which blanks and `separators` end. Raises: WrongUsage if a quote is not closed."""
    words = list(_words(line, _BLANKS + separators))
    if words and (quote := words[-1].open_quote):
        raise WrongUsage(
            f"The quote {quote} is not closed.", hint=f"Close it, or write \\{quote} for the character itself."
        )
    return words


def last_word(line: str, separators: str = "") -> Word:
    """Return the word at the end of a line that is being typed; an empty one behind a separator."""
    words = list(_words(line, _BLANKS + separators))
    return words[-1] if words and words[-1].end == len(line) else Word(text="", start=len(line), end=len(line))


def continued(text: str, quote: str = "") -> str:
    """Return `text` as it is typed within a word: after an open `quote`, or with a backslash before special signs."""
    if quote == "'":
        return text.replace("'", r"'\''")
    if quote:
        return re.sub(r'(["\\$`])', r"\\\1", text)
    return text if os.name == "nt" else re.sub(r"([\s'\"\\,])", r"\\\1", text)


def _words(line: str, separators: str) -> Iterator[Word]:
    at = 0
    while at < len(line):
        if line[at] in separators:
            at += 1
        else:
            word = _word(line, at, separators)
            yield word
            at = word.end


def _word(line: str, start: int, separators: str) -> Word:
    if url := _URL.match(line, start):  # in which quotes are characters, and a blank is %20
        return Word(text=url[0], start=start, end=url.end())
    part_of = _PART_ON_WINDOWS if os.name == "nt" or _DRIVE.match(line, start) else _PART
    end, text, open_quote, is_quoted = start, "", "", False
    while end < len(line) and line[end] not in separators and (part := part_of.match(line, end)):
        read, open_quote = _read(part[0], has_escapes=part_of is _PART)
        text += read
        is_quoted = is_quoted or read != part[0]
        end = part.end()
    return Word(text=text, start=start, end=end, is_quoted=is_quoted, open_quote=open_quote)


def _read(part: str, *, has_escapes: bool) -> tuple[str, str]:
    """Return what a part of a word stands for, and its quote if that is still open."""
    quote = part[0]
    if quote not in _QUOTES:
        return part[1:] if has_escapes and len(part) > 1 else part, ""
    is_closed = len(part) > 1 and part.endswith(quote)
    content = part[1:-1] if is_closed else part[1:]
    if quote == '"' and has_escapes:
        is_closed = is_closed and bool(re.fullmatch(r'"(?:\\.|[^"\\])*"', part, re.DOTALL))
        content = re.sub(r'\\(["\\$`])', r"\1", part[1:-1] if is_closed else part[1:])
    return content, "" if is_closed else quote
