"""The grammar of a list of numbers, for clients and workers, and the error for text that does not match it.

Numbers are parsed exactly as decimals, never as floats. This is the reference parser, for short lists, any decimal and
every rejection; `courier.numbers.fast_parser` parses long plain lists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, Inexact
from itertools import takewhile

from courier.errors import NotANumberList
from courier.numbers import hints
from courier.text import quoted

#: The longest number, in digits, and the largest exponent: few bytes must not cost much time or memory.
MAX_DIGITS = 400
MAX_EXPONENT = 400
#: The number of characters that an error's drawing shows on each side of the error.
DRAWN = 30
#: The longest item that can be a number: a sign, the digits, a point, and an exponent with leading zeros.
_MAX_ITEM = MAX_DIGITS + 12
#: Wide enough to shift any number of the grammar to any other's exponent; raises instead of rounding.
_EXACT = Context(prec=5_000, Emax=999_999, Emin=-999_999, traps=[Inexact])

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
#: A pattern for numbers that are within the limits.
_USUAL = (
    r"[+-]?(?:[0-9]{1,150}+(?:\.[0-9]{0,150}+)?|\.[0-9]{1,150}+)(?:[eE][+-]?(?:[0-3][0-9]{2}|[0-9]{1,2})(?![0-9]))?"
)
_BLANKS = " \t"
#: Allowed after the last number.
_ENDING = " \t\r\n"
#: Line endings of Unix, Windows and classic Mac OS.
_LINE_END = r"(?:\r\n?+|\n)"


@dataclass(frozen=True)
class _Separator:
    """A separator: its pattern, and a pattern for a run of usual numbers, each followed by one."""

    between: re.Pattern[str]
    run: re.Pattern[str]
    #: The one character that separates in a line; empty if there are several.
    sign: str = ""


def _separator(between: str, behind: str, sign: str = "") -> _Separator:
    return _Separator(re.compile(between), re.compile(rf"(?:[{_BLANKS}]*+{_USUAL}{behind}|)*+"), sign)


_COMMAS, _SEMICOLONS = (
    _separator(rf"{sign}|{_LINE_END}", rf"[{_BLANKS}]*+(?:{sign}|{_LINE_END})", sign) for sign in ",;"
)
#: Spaces at either end of a line do not separate. Only the first blank of a run may begin a separator.
_BLANK_RUN = rf"[{_BLANKS}]++(?=[^{_ENDING}])"
#: A run of blanks without an empty cell.
_GAP = rf"(?: ++(?:\t *+)?+|\t *+)(?=[^{_ENDING}])"
_ROWS = _separator(rf"{_LINE_END}|(?<=[^{_ENDING}]){_BLANK_RUN}", rf"(?:[{_BLANKS}]*+{_LINE_END}|{_GAP})")
_BY_SIGN = {",": _COMMAS, ";": _SEMICOLONS, " ": _ROWS}


@dataclass(frozen=True, kw_only=True)
class ParseError:
    """The first invalid item of a list: its position (from 1), what is wrong, a hint and a drawing."""

    item: int
    character: int
    finding: str
    hint: str = ""
    drawing: str = ""

    def shifted(self, items: int, characters: int) -> ParseError:
        """Return the same error in a list with more items and characters before it."""
        return replace(self, item=self.item + items, character=self.character + characters)

    @property
    def rejection(self) -> NotANumberList:
        """The exception for this error."""
        where = f"Item {self.item:,} (character {self.character:,})"
        error = NotANumberList(f"{where} {self.finding}.", hint=self.hint)
        error.drawing = self.drawing
        return error


def split(text: str) -> list[str]:
    """Return the numbers of `text`, in order, as typed; at least one.

    The separators are commas or line endings, semicolons or line endings, or, without commas and semicolons, spaces or
    line endings. Spaces around an item and empty lines at the end are allowed. Two tabs in a line enclose an item, as
    in a spreadsheet's rows.
    Raises: NotANumberList, with the invalid item's number, its position (both from 1) and its text.
    """
    trimmed = text.rstrip(_ENDING)
    if not trimmed:
        raise empty()
    separator = _separator_of(trimmed)
    parse_error = _first_error(trimmed, separator)
    if parse_error:
        raise parse_error.rejection
    return _items(trimmed, separator)


def empty() -> NotANumberList:
    """Return the exception for a list without numbers."""
    return NotANumberList("The list is empty.", hint="Type numbers such as 1, 2.5, 3e4.")


def read(text: str) -> tuple[list[int], int]:
    """Return the exact numbers of `text` as integers in units of 10**-decimals, and `decimals`.

    Raises: NotANumberList, as `split` does.
    """
    return _units(split(text))


def read_piece(text: str, sign: str, *, is_first: bool = True) -> tuple[list[int], int] | ParseError:
    """Return the result of `read`, or the error, for a piece of a longer list that `sign` separates (,; or a blank).

    A piece ends with one separator, which may be a line ending; `is_first`: whether it begins the list.
    """
    separator = _BY_SIGN[sign]
    body = text.rstrip(_BLANKS)
    body = body.removesuffix("\n").removesuffix("\r") if body.endswith("\n") else re.sub(r"[,;\r]\Z", "", body)
    return _first_error(body, separator, text[len(body) :], is_first=is_first) or _units(_items(body, separator))


def of_item(item: str) -> ParseError | None:
    """Return the error of a single item without spaces around it; None if it is a number."""
    return None if _is_number(item) else _parse_error(item, 0, item, _COMMAS, begins_lines=False)


def whole_items(block: bytes) -> bytes:
    """Return a block without its last, possibly incomplete item and the separators before that."""
    end = max(map(block.rfind, b",;\n\r \t"))
    return block[: end + 1].rstrip(b",;\n\r \t")


def _items(text: str, separator: _Separator) -> list[str]:
    is_one_line = not ("\n" in text or "\r" in text)
    items = text.split(separator.sign) if separator.sign and is_one_line else separator.between.split(text)
    return [item.strip(_BLANKS) for item in items] if " " in text or "\t" in text else items


def _units(items: Sequence[str]) -> tuple[list[int], int]:
    try:
        return [int(item) for item in items], 0
    except ValueError:  # some have a point or an exponent
        return _with_points(items)


def _with_points(items: Sequence[str]) -> tuple[list[int], int]:
    parts = [item.partition(".") for item in items]
    lengths = [len(behind) for _, _, behind in parts]
    decimals = max(lengths)
    try:
        units = [int(before + behind) for before, _, behind in parts]
        if min(lengths) == decimals:
            return units, decimals
        return [unit * 10 ** (decimals - own) for unit, own in zip(units, lengths, strict=True)], decimals
    except ValueError:  # some have an exponent
        return _with_exponents(items)


def _with_exponents(items: Sequence[str]) -> tuple[list[int], int]:
    values = [Decimal(item) for item in items]
    exponents = [int(value.as_tuple().exponent) for value in values]
    decimals = max(0, -min(exponents))
    # Multiply after the conversion: converting few digits is much faster than converting hundreds.
    units = (int(value.scaleb(-own, _EXACT)) for value, own in zip(values, exponents, strict=True))
    return [unit * 10 ** (own + decimals) for unit, own in zip(units, exponents, strict=True)], decimals


def _separator_of(text: str) -> _Separator:
    if ";" in text:
        return _SEMICOLONS
    return _COMMAS if "," in text or not (" " in text or "\t" in text) else _ROWS


def _first_error(text: str, separator: _Separator, behind: str = "", *, is_first: bool = True) -> ParseError | None:
    """Return the first invalid item, if any; skip runs of usual numbers at once.

    `behind` is the text that follows in the list; `is_first`: whether the text begins the list.
    """
    start = 0
    while True:
        run = separator.run.match(text, start)
        start = run.end() if run else start
        end = separator.between.search(text, start)
        item = text[start : end.start() if end else len(text)].strip(_BLANKS)
        if not _is_number(item):
            begins_lines = is_first and any(end in part for part in (text, behind) for end in "\r\n")
            return _parse_error(item, start, text + behind, separator, begins_lines=begins_lines)
        gap = end[0] if end else "" if behind.strip(_BLANKS) else behind
        if gap.count("\t") > 1:
            place = (end.start() if end else len(text)) + gap.index("\t", gap.index("\t") + 1)
            return _empty_cell(_count_before(start, text, separator) + 2, place, text + behind)
        if end is None:
            return None
        start = end.end()


def _is_number(item: str) -> bool:
    match = _NUMBER.fullmatch(item) if len(item) <= _MAX_ITEM else None
    if match is None:
        return False
    if match[1] is None:
        return len(item) <= MAX_DIGITS or _count_digits(item) <= MAX_DIGITS
    return abs(int(match[1])) <= MAX_EXPONENT and _count_digits(item[: match.start(1)]) <= MAX_DIGITS


def _count_digits(mantissa: str) -> int:
    return sum(char.isdigit() for char in mantissa)


def _parse_error(item: str, start: int, text: str, separator: _Separator, *, begins_lines: bool) -> ParseError:
    spaces = re.compile(f"[{_BLANKS}]*").match(text, start)
    position = spaces.end() if spaces else start
    number = 1 + _count_before(start, text[: position + 1], separator)
    if item:
        finding = f"is {quoted(item)}, {_reason(item)}"
        hint = hints.of_item(item, begins_lines=begins_lines and number == 1)
        if not hint and separator is _ROWS:
            hint = hints.in_row(text, position, item)
        hint = hint or hints.USUAL
    else:
        finding, hint = "is empty", hints.of_empty(text, position)
    return ParseError(item=number, character=position + 1, finding=finding, hint=hint, drawing=draw(text, position))


def _count_before(start: int, text: str, separator: _Separator) -> int:
    """Return the number of items before `start`, where an item begins; the text should end soon after it."""
    return sum(1 for _ in takewhile(lambda match: match.end() <= start, separator.between.finditer(text)))


def _empty_cell(number: int, position: int, text: str) -> ParseError:
    hint = "An empty cell between two tabs is not skipped: write a number there, or take one tab away."
    drawing = draw(text, position)
    return ParseError(item=number, character=position + 1, finding="is empty", hint=hint, drawing=drawing)


def _reason(item: str) -> str:
    # The optional part begins with the point, so that a run of digits matches in one way only: else matching would
    # take quadratic time.
    match = re.fullmatch(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE][+-]?[0-9]+)?", item)
    digits = match[1] + (match[2] or "") if match else ""
    if not digits:
        return "which is not a number"
    if len(digits) > MAX_DIGITS:
        return f"which has more than {MAX_DIGITS} digits"
    if len(item) > _MAX_ITEM:
        return f"which has more than {_MAX_ITEM} characters"
    return f"whose exponent is beyond {MAX_EXPONENT}"


def draw(text: str, position: int) -> str:
    """Return the text around a position in its line, with a caret below the position."""
    line_start = max(text.rfind(end, 0, position) for end in "\r\n") + 1
    line_end = min((place for end in "\r\n" if (place := text.find(end, position)) >= 0), default=len(text))
    begin = max(line_start, position - DRAWN)
    end = min(line_end, position + DRAWN)
    before, after = "…" if begin > line_start else "", "…" if end < line_end else ""
    shown = "".join(char if char.isprintable() else "·" for char in text[begin:end])
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + position - begin)}^"
