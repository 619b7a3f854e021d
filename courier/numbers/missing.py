"""Skip the missing values of a list, and count them by how they are written.

What is skipped becomes spaces, together with one separator, so that positions in errors are those of the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from courier.numbers.hints import MISSING_WORDS

#: What an empty item is called.
EMPTY = "empty"
#: The longest run of skipped values and separators that is kept: a worker rejects longer items.
_MAX_GAP = 2**16
#: Text without a separator that is longer has no number.
_MAX_ITEM = 2**20
#: The most different words that a note names.
_NAMED = 5
_ENDING = " \t\r\n"
#: What ends an item, without and with commas or semicolons in the list.
_ROW_SIGNS, _ITEM_SIGNS = " \t\r\n", ",;\r\n"
_END = r"(?:\r\n|[\r\n])"
_WORD = re.compile(MISSING_WORDS)
#: An item between commas, semicolons and line endings, with the separator behind it.
_ITEM = re.compile(rf"(?:(?<=[,;\r\n])|\A)[ \t]*+({MISSING_WORDS}|)[ \t]*+(?:[,;]|{_END}|\Z)")
#: A line of a list that spaces separate, if it may have a missing value: a word without a digit, or an empty cell.
_LINE = re.compile(rf"([^\r\n]*)({_END}|\Z)")
_SUSPECT = re.compile(rf"(?<![^{_ENDING}])(?:{MISSING_WORDS})(?![^{_ENDING}])|\t *\t|(?:\A|[\r\n])[ \t]*[\r\n]")
#: A cell of such a line with the tab before it, or an empty cell between two tabs.
_CELL = re.compile(r"(?:\t *)?[^ \t]+|\t *(?=\t)")


class MissingValues:
    """Removes missing values from the text of one list after another, and counts them."""

    def __init__(self) -> None:
        #: How often each way to write a missing value was skipped, upper case as lower case.
        self.skipped: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """The number of skipped values."""
        return self.skipped.total()

    def note(self) -> str:
        """Return how many were skipped, and which: `2 missing values skipped: NA (1), empty (1)`; may be empty."""
        if not self.skipped:
            return ""
        named = [f"{word} ({count:,})" for word, count in self.skipped.most_common(_NAMED)]
        named += ["…"] * (len(self.skipped) > _NAMED)
        return f"{self.count:,} missing value{'s' * (self.count != 1)} skipped: {', '.join(named)}"

    def is_missing(self, item: str) -> bool:
        """Whether an item without spaces around it is missing; counts it if it is."""
        if item and not _WORD.fullmatch(item):
            return False
        self.skipped[item.lower() or EMPTY] += 1
        return True

    def without(self, blocks: Iterable[str]) -> Iterator[str]:
        """Yield the text of a list without its missing values, and without separators at its end."""
        held, gap, last, signs = "", "", "", _ROW_SIGNS
        for block in chain(blocks, [None]):
            text = held + (block or "")
            signs = _ITEM_SIGNS if "," in text or ";" in text else signs
            cut = len(text.rstrip(_ENDING)) if block is None else self._cut(text, signs)
            whole, held = text[:cut], text[cut:]
            last = whole[-1:] or last
            if block is None and last and last in ",;":
                self.is_missing("")
            left = gap + (self._of_items(whole) if signs == _ITEM_SIGNS else self._of_rows(whole))
            kept = left.rstrip(",;" + _ENDING)
            gap = left[len(kept) :][:_MAX_GAP]
            if kept:
                yield kept

    def _cut(self, text: str, signs: str) -> int:
        """Return where the last item begins, which may be incomplete."""
        body = text.rstrip(_ENDING)
        cut = max(map(body.rfind, signs)) + 1
        return cut if len(text) - cut <= _MAX_ITEM else len(text)

    def _of_items(self, text: str) -> str:
        return _ITEM.sub(self._blank, text)

    def _blank(self, match: re.Match[str]) -> str:
        if not match[0]:
            return ""
        self.is_missing(match[1])
        return " " * len(match[0])

    def _of_rows(self, text: str) -> str:
        return _LINE.sub(self._row, text) if _SUSPECT.search(text) else text

    def _row(self, match: re.Match[str]) -> str:
        """Return a line without its missing values; if none is left, without its ending."""
        line, end = match[1], match[2]
        if not line.strip(" \t"):
            return " " * len(match[0]) if end and self.is_missing("") else match[0]
        kept = _CELL.sub(self._cell, line)
        if kept == line:
            return match[0]
        body = kept.lstrip(" \t")
        return " " * (len(kept) - len(body)) + body + (end if body else " " * len(end))

    def _cell(self, match: re.Match[str]) -> str:
        return " " * len(match[0]) if self.is_missing(match[0].strip(" \t")) else match[0]
