"""Hints for text that is not a number, by what it looks like. The first matching row counts.

Patterns match untrusted text: each takes linear time, on no more text than a number could have.
"""

from __future__ import annotations

import re
import unicodedata

#: The longest text that is matched; a longer item is searched for foreign characters up to here.
MAX_CHARACTERS = 412

_DIGITS = r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)"
_EXPONENT = r"(?:[eE][+-]?[0-9]++|)?+"
_NUMBER = rf"[+-]?{_DIGITS}{_EXPONENT}"
_BETWEEN_DIGITS = r"(?<=[0-9])%s(?=[0-9])"


def _grouped(sign: str) -> str:
    return rf"[+-]?[0-9]{{1,3}}{sign}[0-9]{{3}}(?:{sign}[0-9]{{3}}|)*+(?:[.,][0-9]*+)?+"


_DELETE = "Delete it, or skip it with --skip-header."
_MISSING = "A missing value (NaN, NA, null, - and similar): remove it, or use --skip-missing."
_SCALE = "A letter for a factor is not read: write 5000 or 5e3 for 5k."
_GROUPS = "Remove the thousands separators."
_ONE_POINT = "A number has one decimal point."
_BLANKS = "Spaces separate only where there are no commas and no semicolons."
_DATE = "A date is not a number."

#: What to write, where nothing better is known.
USUAL = "Numbers are written as 7, -2.5 or 3e4."

#: What stands for a missing value: a word, dashes, or an error of a spreadsheet.
MISSING_WORDS = r"(?:(?i:#?n/?a|nan|null|none|nil|missing|undefined)|-+|\?+|\*+|(?i:#(?:div/0|value|ref|name|num)[!?]))"

#: Items that are keywords of other programs.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"sep=.?", f"That line tells spreadsheets the separator. {_DELETE}"),
    (MISSING_WORDS, _MISSING),
    (r"(?i:[+-]?inf(?:inity)?)", "Infinity is not a number here."),
    (r"(?i:true|false|yes|no)", "Write 1 or 0."),
    (r"(?:#|//).*", f"A comment is not read. {_DELETE}"),
)
#: Items that contain a number, or look like one.
_ITEMS: tuple[tuple[str, str], ...] = (
    (r"[0-9]{1,4}([-/])[0-9]{1,2}\1[0-9]{1,4}(?:[T ].*)?", _DATE),
    (r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}|[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}", _DATE),
    (
        r"[0-9]{1,3}(?::[0-9]{2}){1,2}(?:\.[0-9]*)?(?: ?[aApP]\.?[mM]\.?)?",
        "A time is not a number: write seconds, say.",
    ),
    (r"[+-]?0[xXbBoO][0-9a-fA-F_]+", "Hexadecimal, octal and binary are not read; write it in decimal."),
    (r"[+-]?[0-9]+/[0-9]+", "Fractions are not read; write a decimal."),
    (
        _grouped(","),
        "Remove the thousands commas, or use --thousands (--decimal-comma if they are decimal commas).",
    ),
    (
        r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?",
        "Write a decimal point, not a comma, or use --decimal-comma.",
    ),
    (r"[-+.0-9eE \t]*(?:,[-+.0-9eE \t]*)+", "Separate by commas or by semicolons, not by both."),
    (_grouped("[_']"), _GROUPS),
    (r"[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}", f"{_ONE_POINT} {_GROUPS}"),
    (r"[+-]?[0-9]*(?:\.[0-9]*){2,}", _ONE_POINT),
    (rf"{_DIGITS}[eE][+-]?[0-9]*\.[0-9]*", "An exponent is a whole number."),
    (rf"[+-]?{_DIGITS}?[eE][+-]?|[+-]?[eE][+-]?[0-9]+", "The exponent or the number has no digits."),
    (rf"[+-]?{_DIGITS}[dD][+-]?[0-9]+", "Write the exponent with an e: 1e5."),
    (rf"[+-]?(?:{_DIGITS} ?[*x]? ?)?10 ?(?:\^|\*\*) ?[+-]?[0-9]+", "Write powers of ten with an e: 1e5."),
    (rf"\(\s*[$]?{_NUMBER}\s*\)", "Parentheses are not read: write a negative number as -1.5."),
    (rf"(?:~|<=?|>=?|=|\+/-) ?{_NUMBER}", "Remove the sign in front (~, <, > or =): only exact numbers are read."),
    (r"[\[({<]+[\"']?.*|.*[\])}>]", "Remove the brackets: numbers and separators only."),
    (rf"{_NUMBER} ?%", "Remove the percent sign."),
    (
        rf"[+-]?\${_NUMBER}|[+-]?\$.*|{_NUMBER} ?\$|[A-Z]{{3}} ?{_NUMBER}|{_NUMBER} ?[A-Z]{{3}}",
        "Remove the currency ($, EUR and similar).",
    ),
    (r"[IVXLCDM]+", "Roman numerals are not read."),
    (r"[A-Z]{3}", "Is that a currency? Remove it."),
    (rf"{_NUMBER} ?(?:[kKMGTB]|[mM]io|[mM]rd|[bB]n|million|billion)", _SCALE),
    (rf"{_NUMBER}(?:st|nd|rd|th)", "Remove the letters of the ordinal (1st, 2nd and similar)."),
    (rf"{_NUMBER}[ij]|{_NUMBER}[+-]{_NUMBER}[ij]", "Complex numbers are not read."),
    (rf"{_DIGITS}[-+]", "The sign belongs before the number."),
    (rf"[-+]{{2,}}{_DIGITS}{_EXPONENT}|[-+][ ]+{_NUMBER}", "Write one sign, directly before the number."),
    (rf"{_NUMBER} ?(?:-|\.\.+|to) ?{_NUMBER}", "A range is not a number: write its numbers."),
    (rf"{_NUMBER}(?: ?[|:/&] ?(?:{_NUMBER})?)+", "Separate numbers by commas, semicolons, spaces or line endings."),
    (r".*\\[ntr].*", "A backslash and a letter are not a line ending; in a shell, write $'1\\n2'."),
    (r"[\"'`].*|.*[\"'`]", "Remove the quotes, or read one column of a file with --column."),
    (rf"{_NUMBER} ?(?!x\Z)[A-Za-z][A-Za-z0-9/^*]*", "Remove the unit."),
    (
        r"[^A-Za-z]*[0-9][ \t]+[-+.]?[0-9][^A-Za-z]*",
        f"{_BLANKS} With --decimal-comma a comma is a decimal point.",
    ),
)
#: The name of a column.
_HEADER = re.compile(r"[\"']?[^\W\d].*", re.DOTALL)

#: Single characters: not ASCII, or control characters. The hint begins with the character's name.
_CHARACTERS: tuple[tuple[str, str], ...] = (
    (r"[\u2010-\u2015\u207b\u208b\u2212\u2796\ufe58\ufe63\uff0d]", "Type the minus sign of the keyboard, -."),
    (r"[\u207a\u2795\ufe62\uff0b]", "Type the plus sign of the keyboard, +."),
    (r"[\u060c\u3001\u201a\ufe10\ufe50\uff0c\uff64\u066b]", "Type the comma of the keyboard, or a point for decimals."),
    (r"[\u061b\ufe14\ufe54\uff1b]", "Type the semicolon of the keyboard."),
    (r"[\u00b7\u02d9\u06d4\u22c5\u2024\u3002\ufe52\uff0e\uff61]", "Type the point of the keyboard."),
    (_BETWEEN_DIGITS % r"[\u00b4\u02b9\u02bc\u02c8\u066c\u2018\u2019\u2032\uff07]", _GROUPS),
    (r"[\u00ab\u00bb\u2018-\u201f\u2032-\u2037\u2039\u203a\u300c-\u300f\uff02\uff07\u00b4]", "Remove the quotes."),
    (r"[\u066a\u2030\u2031\ufe6a\uff05]", "Remove the percent sign."),
    (r"[\u2248\u223c\u2243\u00b1\u2213\u2264\u2265\uff1c-\uff1e\uff5e\u301c]", "Only exact numbers are read."),
    (r"\u221e", "Infinity is not a number here."),
    (r"[\u2044\u2215\uff0f\u00f7]", "Fractions are not read; write a decimal."),
    (r"[\u00d7\u2715]", "Write powers of ten with an e: 1e5."),
    (r"[\uff08\uff09\uff3b\uff3d\uff5b\uff5d\u3010\u3011\u27e8\u27e9]", "Remove the brackets."),
    (r"\u2026", "Write all numbers: nothing may be omitted."),
    (r"[\u2022\u25aa\u25cf\u25e6\u2023]", "Remove the bullets."),
    (r"[\u00ba\u00aa\u00b0]", "Remove the unit."),
    (r"\ufffd", "Its bytes are not UTF-8: save the text as UTF-8."),
    (r"\x00", "Is it a binary file, or UTF-16 without a byte order mark? Save it as text, UTF-8."),
    (r"\x1a", "It is an end mark of old DOS programs: delete it."),
    (r"\x1b", "It begins an escape sequence of a key or a color: delete that."),
)
#: Other characters, by Unicode category.
_CATEGORIES: dict[str, str] = {
    "Nd": "Only the digits 0 to 9 are read.",
    "Nl": "Write it in digits.",
    "No": "Write it as a decimal.",
    "Zs": "Type a plain space, or nothing if it groups digits.",
    "Zl": "Type a line ending.",
    "Zp": "Type a line ending.",
    "Cf": "It is invisible: delete it.",
    "Cc": "It is invisible: delete it.",
    "Cs": "Its bytes are not text in this terminal's encoding.",
    "Sc": "Remove the currency.",
}

#: The words before and after an item in a row: any word before it, a number or a power after it.
_BEFORE = re.compile(r"(?<![^ \t\r\n])[^ \t\r\n]++(?=[ \t]++\Z)")
_BEHIND = re.compile(r"[ \t]++([-+.0-9eE^*]++)(?![^ \t\r\n])")
_DIGIT = re.compile(r"[0-9]")
_FOREIGN = re.compile(r"[^\x20-\x7e\t]")
#: An empty item: after a separator at the end of a line, or a whole line.
_ROW_END = re.compile(r"[,;][ \t]*+\Z")
_LINES = re.compile(r"[\r\n][ \t]*+[^ \t\r\n]")
_LINE = re.compile(r"(?:[\r\n][ \t]*+|\A[ \t]*+)\Z")


def _compiled(rows: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern, re.DOTALL), hint) for pattern, hint in rows]


_WORD_ROWS, _ITEM_ROWS, _CHARACTER_ROWS = map(_compiled, (_WORDS, _ITEMS, _CHARACTERS))


def of_item(item: str, *, begins_lines: bool = False) -> str:
    """Return the hint for an item that is not a number; empty if there is none.

    `begins_lines`: whether it is the first item of a list in lines.
    """
    short = item if len(item) <= MAX_CHARACTERS else ""
    if hint := _of_rows(_WORD_ROWS, short):
        return hint
    if begins_lines and _HEADER.fullmatch(short):
        return f"Is that a header? {_DELETE}"
    return _of_character(item[:MAX_CHARACTERS]) or _of_rows(_ITEM_ROWS, short)


def in_row(text: str, position: int, item: str) -> str:
    """Return the hint for an item without digits together with its neighbors in a row that spaces separate."""
    if _DIGIT.search(item) or len(item) > MAX_CHARACTERS:
        return ""
    end = position + len(item)
    found = _BEFORE.search(text[max(0, position - MAX_CHARACTERS) : position])
    before = f"{found[0]} " if found else ""
    follows = _BEHIND.match(text[end : end + MAX_CHARACTERS])
    behind = f" {follows[1]}" if follows else ""
    # Longest first: `5 to 7` is a range, but `5 to` a number with a unit.
    phrases = (before + item + behind, before + item, item + behind)
    return next(filter(None, (_of_rows(_ITEM_ROWS, phrase) for phrase in phrases)), "")


def of_empty(text: str, position: int) -> str:
    """Return the hint for an empty item at a position (from 0) of a list."""
    before, ends_line = text[max(0, position - MAX_CHARACTERS) : position], text[position : position + 1] in "\r\n"
    if ends_line and _ROW_END.search(before) and _LINES.search(text):
        return "Remove the separator at the end of the line, or read one column of a file with --column."
    if ends_line and _LINE.search(before):
        return "Delete the empty line."
    return "Write a number there, or remove one separator."


def _of_rows(rows: list[tuple[re.Pattern[str], str]], item: str) -> str:
    return next((hint for pattern, hint in rows if pattern.fullmatch(item)), "") if item else ""


def _of_character(item: str) -> str:
    """Return the hint for the first character outside printable ASCII, if there is one."""
    found = _FOREIGN.search(item)
    if not found:
        return ""
    char, place = found[0], found.start()
    hints = (hint for pattern, hint in _CHARACTER_ROWS if pattern.match(item, place))
    hint = next(hints, _CATEGORIES.get(unicodedata.category(char), ""))
    name = unicodedata.name(char, "a control character" if unicodedata.category(char) == "Cc" else "without a name")
    return f"It has U+{ord(char):04X} ({name}). {hint}".strip()
