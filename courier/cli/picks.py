"""Picks from a numbered list: numbers, ranges, names and patterns, several in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from courier.cli import typed_words
from courier.cli.typed_words import Word
from courier.errors import WrongUsage
from courier.text import nearest, quoted

ALL = "all"
_SEPARATORS = ","
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)
_WILD = re.compile(r"[*?[]")
_SHOWN = 60


def picked(text: str, names: Sequence[str]) -> list[str]:
    """Return the names that a text picks from a list, which is numbered from 1; each once, in the order typed.

    A whole text that is a name is that name. Of several words, each is a number, a range such as 1-3, a name, a pattern
    or `all`; a name that looks like a number has to be in quotes.
    Raises: WrongUsage, naming the word that picks nothing.
    """
    text = text.strip()
    if text in names and not _RANGE.fullmatch(text):
        return [text]
    words = typed_words.split(text, _SEPARATORS)
    return list(dict.fromkeys(name for word in words for name in _of_word(word, names)))


def complete(line: str, names: Sequence[str]) -> list[str]:
    """Return what a line can become when its last word, or all of it, is completed as one of the names."""
    word = typed_words.last_word(line, _SEPARATORS)
    rests = [name[len(word.text) :] for name in names if name.startswith(word.text)]
    found = [line + typed_words.continued(rest, word.open_quote) + word.open_quote for rest in rests]
    return found or [name for name in names if name.startswith(line)]


def _of_word(word: Word, names: Sequence[str]) -> Iterator[str]:
    numbers = _RANGE.fullmatch(word.text)
    if numbers and not word.is_quoted:
        yield from _numbered(numbers, names)
    elif word.text in names:
        yield word.text
    elif word.text in {ALL, "*"}:
        yield from names
    else:
        matches = [name for name in names if _WILD.search(word.text) and _matches(name, word.text)]
        if not matches:
            raise _nothing(word, names)
        yield from matches


def _matches(name: str, pattern: str) -> bool:
    """Whether a name has a pattern, in letters of either case: cameras write IMG_1.JPG."""
    return fnmatchcase(name.casefold(), pattern.casefold())


def _numbered(numbers: re.Match[str], names: Sequence[str]) -> Iterator[str]:
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    for number in (first, last):
        if not 1 <= number <= len(names):
            raise WrongUsage(f"There is no number {number} in the list.", hint=_what_to_type(names))
    step = 1 if first <= last else -1
    yield from (names[number - 1] for number in range(first, last + step, step))


def _nothing(word: Word, names: Sequence[str]) -> WrongUsage:
    near = nearest(word.text, names)
    hint = f"Did you mean {typed_words.continued(near)}?" if near else _what_to_type(names)
    what = "matches" if _WILD.search(word.text) else "is"
    return WrongUsage(f"No name in the list {what} {quoted(word.text, _SHOWN)}.", hint=hint)


def _what_to_type(names: Sequence[str]) -> str:
    numbers = f"a number from 1 to {len(names):,}, a range such as 1-{len(names):,}" if len(names) > 1 else "1"
    return f"Type {numbers}, a name, or a pattern such as *.png; ? shows the list."
