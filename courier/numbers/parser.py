"""The grammar of a list of numbers, used at both ends, and the error for a list that does not match it.

A number is the decimal that was typed: it is read exactly, and never becomes a float. This is the reference
engine, for short lists, for any decimal, and for every refusal; `courier.numbers.fast_parser` reads long plain ones.
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

#: The longest number, in digits, and the largest exponent: a few bytes must not buy much work or memory.
MAX_DIGITS = 400
MAX_EXPONENT = 400
#: How much of a line is drawn on each side of what is wrong with it, in characters.
DRAWN = 30
#: The longest item that can be a number: a sign, the digits, a point, and an exponent with leading zeros.
_MAX_ITEM = MAX_DIGITS + 12
#: Wide enough to shift any number of the grammar to any other's exponent; it raises rather than round.
_EXACT = Context(prec=5_000, Emax=999_999, Emin=-999_999, traps=[Inexact])

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
#: Numbers that are certainly within the limits.
_USUAL = (
    r"[+-]?(?:[0-9]{1,150}+(?:\.[0-9]{0,150}+)?|\.[0-9]{1,150}+)(?:[eE][+-]?(?:[0-3][0-9]{2}|[0-9]{1,2})(?![0-9]))?"
)
_BLANKS = " \t"
#: What may stand behind the last number.
_ENDING = " \t\r\n"
#: Of Unix, Windows, and the classic Mac.
_LINE_END = r"(?:\r\n?+|\n)"


@dataclass(frozen=True)
class _Separator:
    """What stands between two items: a pattern, and a run of usual numbers with one behind each."""

    between: re.Pattern[str]
    run: re.Pattern[str]


def _separator(between: str, behind: str) -> _Separator:
    return _Separator(re.compile(between), re.compile(rf"(?:[{_BLANKS}]*+{_USUAL}{behind})*+"))


_COMMAS, _SEMICOLONS = (_separator(rf"{sign}|{_LINE_END}", rf"[{_BLANKS}]*+(?:{sign}|{_LINE_END})") for sign in ",;")
#: Spaces at either end of a line separate nothing. Only the first blank of a run may begin a separator.
_BLANK_RUN = rf"[{_BLANKS}]++(?=[^{_ENDING}])"
#: One without an empty cell.
_GAP = rf"(?: ++(?:\t *+)?+|\t *+)(?=[^{_ENDING}])"
_ROWS = _separator(rf"{_LINE_END}|(?<=[^{_ENDING}]){_BLANK_RUN}", rf"(?:[{_BLANKS}]*+{_LINE_END}|{_GAP})")
_BY_SIGN = {",": _COMMAS, ";": _SEMICOLONS, " ": _ROWS}


@dataclass(frozen=True, kw_only=True)
class ParseError:
    """What is wrong with the first item that is no number: its place (from 1), what is said of it, and a drawing."""

    item: int
    character: int
    finding: str
    hint: str = ""
    drawing: str = ""

    def behind(self, items: int, characters: int) -> ParseError:
        """Return this slip as it is in a list that has so much before this text."""
        return replace(self, item=self.item + items, character=self.character + characters)

    @property
    def error(self) -> NotANumberList:
        """The refusal."""
        where = f"Item {self.item:,} (character {self.character:,})"
        error = NotANumberList(f"{where} {self.finding}.", hint=self.hint)
        error.drawing = self.drawing
        return error


def split(text: str) -> list[str]:
    """Return the numbers of `text`, in order, as they were typed; at least one.

    Items are separated by commas or line endings (mixed as you like), by semicolons or line endings, or by spaces or
    line endings where there are no commas and semicolons. Spaces around an item and empty lines at the end are fine.
    Between two tabs of a line there is an item, as in a spreadsheet's rows.
    Raises: NotANumberList, naming the item (from 1), its first character's position (from 1), and the token.
    """
    trimmed = text.rstrip(_ENDING)
    if not trimmed:
        raise empty()
    separator = _separator_of(trimmed)
    slip = _first_slip(trimmed, separator)
    if slip:
        raise slip.error
    return _items(trimmed, separator)


def empty() -> NotANumberList:
    """Return the refusal of a list that has no number."""
    return NotANumberList("The list is empty.", hint="Type numbers such as 1, 2.5, 3e4.")


def read(text: str) -> tuple[list[int], int]:
    """Return the numbers of `text`, exactly, as integers in units of 10**-decimals, and those decimals.

    Raises: NotANumberList, as `split` does.
    """
    return _units(split(text))


def read_piece(text: str, sign: str, *, is_first: bool = True) -> tuple[list[int], int] | ParseError:
    """Return what `read` does, of a piece of a longer list that `sign` separates (, or ; or a blank), or its slip.

    A piece ends with one separator, line endings included; `is_first` tells whether it begins the list.
    """
    separator = _BY_SIGN[sign]
    body = text.rstrip(_BLANKS)
    body = body.removesuffix("\n").removesuffix("\r") if body.endswith("\n") else re.sub(r"[,;\r]\Z", "", body)
    return _first_slip(body, separator, text[len(body) :], is_first=is_first) or _units(_items(body, separator))


def of_item(item: str) -> ParseError | None:
    """Return what is wrong with a single item without spaces around it; None if it is a number."""
    return None if _is_number(item) else _slip(item, 0, item, _COMMAS, begins_lines=False)


def whole_items(block: bytes) -> bytes:
    """Return a block without what may be only a part of an item at its end, and without what stands before that."""
    end = max(map(block.rfind, b",;\n\r \t"))
    return block[: end + 1].rstrip(b",;\n\r \t")


def _items(text: str, separator: _Separator) -> list[str]:
    return [item.strip(_BLANKS) for item in separator.between.split(text)]


def _units(items: Sequence[str]) -> tuple[list[int], int]:
    parts = [item.partition(".") for item in items]
    decimals = max([len(behind) for _, _, behind in parts])
    try:
        return [int(before + behind) * 10 ** (decimals - len(behind)) for before, _, behind in parts], decimals
    except ValueError:  # an exponent, then: these are numbers
        return _with_exponents(items)


def _with_exponents(items: Sequence[str]) -> tuple[list[int], int]:
    values = [Decimal(item) for item in items]
    exponents = [int(value.as_tuple().exponent) for value in values]
    decimals = max(0, -min(exponents))
    # Digits first and the power of ten after: an integer of a few digits is made much faster than one of hundreds.
    units = (int(value.scaleb(-own, _EXACT)) for value, own in zip(values, exponents, strict=True))
    return [unit * 10 ** (own + decimals) for unit, own in zip(units, exponents, strict=True)], decimals


def _separator_of(text: str) -> _Separator:
    if ";" in text:
        return _SEMICOLONS
    return _COMMAS if "," in text or not (" " in text or "\t" in text) else _ROWS


def _first_slip(text: str, separator: _Separator, behind: str = "", *, is_first: bool = True) -> ParseError | None:
    """Return the first item that is no number, if there is one; pass over runs of usual ones at once.

    `behind` stands behind the text in its list, of which the text is the beginning if it `is_first`.
    """
    start = 0
    begins_lines = is_first and any(end in part for part in (text, behind) for end in "\r\n")
    while True:
        run = separator.run.match(text, start)
        start = run.end() if run else start
        end = separator.between.search(text, start)
        item = text[start : end.start() if end else len(text)].strip(_BLANKS)
        if not _is_number(item):
            return _slip(item, start, text + behind, separator, begins_lines=begins_lines)
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


def _slip(item: str, start: int, text: str, separator: _Separator, *, begins_lines: bool) -> ParseError:
    spaces = re.compile(f"[{_BLANKS}]*").match(text, start)
    position = spaces.end() if spaces else start
    number = 1 + _count_before(start, text[: position + 1], separator)
    if item:
        finding = f"is {quoted(item)}, {_reason(item)}"
        hint = hints.of_item(item, begins_lines=begins_lines and number == 1)
        if not hint and separator is _ROWS:
            hint = hints.in_row(text, position, item)
    else:
        finding, hint = "is empty", hints.of_empty(text, position)
    return ParseError(item=number, character=position + 1, finding=finding, hint=hint, drawing=draw(text, position))


def _count_before(start: int, text: str, separator: _Separator) -> int:
    """Return how many items end before a place where one begins, and not much behind which the text ends."""
    return sum(1 for _ in takewhile(lambda match: match.end() <= start, separator.between.finditer(text)))


def _empty_cell(number: int, position: int, text: str) -> ParseError:
    hint = "An empty cell between two tabs is not skipped: write a number there, or take one tab away."
    drawing = draw(text, position)
    return ParseError(item=number, character=position + 1, finding="is empty", hint=hint, drawing=drawing)


def _reason(item: str) -> str:
    # The point stands before its digits, so that no run of digits can be cut in two: that would be tried
    # everywhere, and take time by the square of the item's length.
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
    """Return what stands around a position in its line, and a caret under it."""
    line_start = max(text.rfind(end, 0, position) for end in "\r\n") + 1
    line_end = min((place for end in "\r\n" if (place := text.find(end, position)) >= 0), default=len(text))
    begin = max(line_start, position - DRAWN)
    end = min(line_end, position + DRAWN)
    before, after = "…" if begin > line_start else "", "…" if end < line_end else ""
    shown = "".join(char if char.isprintable() else "·" for char in text[begin:end])
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + position - begin)}^"
