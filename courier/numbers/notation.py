"""Rewrite decimal commas and grouped thousands into the grammar.

Rewriting keeps the length, so that positions in errors are those of the typed text: a comma becomes a point, and
thousands separators become spaces after the number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from courier.numbers import parser
from courier.numbers.parser import ParseError
from courier.text import quoted

_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
#: An item in these notations: a comma separates only before a space or a line ending, if at all.
_WORD = re.compile(r"[^; \t\r\n]+")
_THOUSANDS = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?:\.[0-9]*)?{_EXPONENT}")
_DECIMAL_COMMA = re.compile(rf"[+-]?[0-9]*,[0-9]+{_EXPONENT}")
_BOTH = re.compile(rf"[+-]?(?:[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+|[0-9]*)(?:,[0-9]+)?{_EXPONENT}")
#: Text whose words are numbers with a decimal comma or contain no comma and no point.
_ALL_DECIMAL = re.compile(
    r"(?:[; \t\r\n]*+(?:[^,.; \t\r\n]++(?![,.])|[+-]?[0-9]*+,[0-9]++(?:[eE][+-]?[0-9]++|)?+(?![^; \t\r\n]))|)*+"
    r"[; \t\r\n]*+"
)
_SEPARATE = "Separate numbers by semicolons, spaces or line endings."

#: A tab between two items of a line.
_ROW = re.compile(r"\S\t\S")
#: A list with a longer line gets no note.
_LONGEST_LINE = 1_000
_LINE_END = r"[ \t]*+(?:\r\n?+|\n|\Z)"
_GROUPS = "(?:,[0-9]{3}(?:,[0-9]{3}|)*+)"


def _lines(line: str) -> re.Pattern[str]:
    return re.compile(rf"{line}{_LINE_END}(?:{line}{_LINE_END}|)*+")


_DECIMAL_LINES = _lines(r"[ \t]*+[+-]?[0-9]++,[0-9]++(?:[eE][+-]?[0-9]++|)?+")
_THOUSANDS_LINES = _lines(rf"[ \t]*+[+-]?(?:[1-9][0-9]{{0,2}}{_GROUPS}|[0-9]{{1,3}}+)(?:\.[0-9]*+)?+")


class _InvalidWord(Exception):
    """A word is not a number in this notation."""

    def __init__(self, place: int, word: str) -> None:
        super().__init__(word)
        self.place, self.word = place, word


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How numbers are written; without either option, as in the grammar."""

    #: The comma is the decimal separator.
    decimal_comma: bool = False
    #: Digits are grouped in thousands: by commas, or by points if the comma is decimal.
    thousands: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing is rewritten."""
        return not (self.decimal_comma or self.thousands)

    def rewrite(self, text: str) -> str | ParseError:
        """Return whole items in the grammar, with the same length, or the error of the first invalid one."""
        if self.is_plain:
            return text
        if self.decimal_comma and not self.thousands and _ALL_DECIMAL.fullmatch(text):
            return text.replace(",", ".")
        try:
            return _WORD.sub(self._word, text)
        except _InvalidWord as misfit:
            return self._parse_error(text, misfit)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if self.decimal_comma:
            return _BOTH if self.thousands else _DECIMAL_COMMA
        return _THOUSANDS

    def _word(self, match: re.Match[str]) -> str:
        word = match[0]
        core = word if self.decimal_comma else word.strip(",")
        if not ("," in core or (self.decimal_comma and "." in core)):
            return word
        if not self._pattern.fullmatch(core):
            raise _InvalidWord(match.start(), word)
        if self.thousands:
            word = word.replace(core, core.replace("." if self.decimal_comma else ",", ""), 1)
        return (word.replace(",", ".") if self.decimal_comma else word).ljust(len(match[0]))

    def _parse_error(self, text: str, misfit: _InvalidWord) -> ParseError:
        if self.decimal_comma:
            finding = "which is not a number with a decimal comma"
            hint = f"{_SEPARATE} Points may group digits by threes" + ("." if self.thousands else ", with --thousands.")
        else:
            finding, hint = "whose commas do not group its digits by threes", f"{_SEPARATE} Write 1,234.5 or 1234.5."
        return ParseError(
            item=1 + len(_WORD.findall(text, 0, misfit.place)),
            character=misfit.place + 1,
            finding=f"is {quoted(misfit.word)}, {finding}",
            hint=hint,
            drawing=parser.draw(text, misfit.place),
        )


def count_items(text: str) -> int:
    """Return the number of items in text whose commas do not separate."""
    return len(text.replace(";", " ").split())


class TabCheck:
    """Detects rows of a tab-separated list that begin or end with a tab. For one list."""

    def __init__(self) -> None:
        # The beginning of the list counts as the beginning of a line.
        self._last = "\n"
        self._has_rows = self._has_ends = self._has_signs = False

    def add(self, text: str) -> None:
        """Take in the next part of the list."""
        text = self._last + text
        self._last = text[-2:]
        self._has_signs = self._has_signs or "," in text or ";" in text
        if "\t" in text:
            self._has_rows = self._has_rows or bool(_ROW.search(text))
            self._has_ends = self._has_ends or any(end in text for end in ("\n\t", "\r\t", "\t\n", "\t\r"))

    def note(self) -> str:
        """Return what is to be said at the list's end, or nothing."""
        is_seen = self._has_rows and self._has_ends and not self._has_signs
        return "Some lines begin or end with a tab: if a cell is empty there, it was not counted." if is_seen else ""


class CommaCheck:
    """Detects lists whose lines all look like one number with a comma in it. For one list."""

    def __init__(self) -> None:
        self._rest = ""
        self._lines = self._commas = 0
        self._is_decimal = self._is_thousands = True

    def add(self, text: str) -> None:
        """Take in the next part of the list."""
        if not (self._is_decimal or self._is_thousands):
            return
        text = self._rest + text
        end = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
        self._rest = text[end:]
        self._judge(text[:end])
        if len(self._rest) > _LONGEST_LINE:
            self._is_decimal = self._is_thousands = False

    def note(self) -> str:
        """Return what is to be said at the list's end, or nothing."""
        self._judge(self._rest.rstrip())
        self._rest = ""
        if self._lines < 2 or not (self._is_decimal or self._is_thousands):  # noqa: PLR2004  one line is a row
            return ""
        seen = f"{self._lines + self._commas:,} numbers in {self._lines:,} lines"
        if self._is_thousands:
            hint = "Remove them, or use --thousands (--decimal-comma if they are decimal commas)."
            return f"{seen}: thousands commas? {hint}"
        return f"{seen}: a decimal comma? Write a point, or use --decimal-comma."

    def _judge(self, lines: str) -> None:
        if not lines:
            return
        self._is_decimal = self._is_decimal and bool(_DECIMAL_LINES.fullmatch(lines))
        self._is_thousands = self._is_thousands and bool(_THOUSANDS_LINES.fullmatch(lines))
        self._lines += lines.count("\n") + lines.count("\r") - lines.count("\r\n") + (lines[-1] not in "\r\n")
        self._commas += lines.count(",")
        # A column with thousands commas may have smaller numbers, but they are the minority.
        self._is_thousands = self._is_thousands and 2 * self._commas >= self._lines
