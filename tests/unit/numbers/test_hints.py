"""What looks like a number and is none gets a hint that names it, and none is ever taken for a number."""

from __future__ import annotations

import time
import unicodedata

import pytest

from courier.errors import NotANumberList
from courier.numbers import hints, parser
from courier.numbers.parser import ParseError
from courier.numbers.ranges import ByteRange, InvalidItem, Pieces

#: A list, and what its rejection's hint must say.
KINDS = [
    # characters that look like others, by code point and name
    *[
        (text, f"U+{ord(char):04X} ({unicodedata.name(char)})")
        for char, text in {
            "\u202f": "1\u202f000", "\u2009": "1\u2009000", "\u00a0": "1\u00a0000", "\u3000": "1,\u30002",
            "\u2007": "1\u20072", "\u200b": "1,\u200b2", "\u200d": "1\u200d", "\u2060": "1\u2060,2",
            "\u00ad": "1\u00ad2",
            "\ufeff": "1,\ufeff2", "\u200e": "\u200e5", "\uff0c": "1\uff0c2", "\uff11": "\uff11\uff12",
            "\u0663": "\u0663",
            "\u060c": "1\u060c2", "\u066b": "1\u066b5", "\u066c": "1\u066c000", "\uff0e": "1\uff0e5",
            "\uff1b": "1\uff1b2", "\u2013": "\u20135",
            "\u2014": "\u20145", "\u2012": "\u20125", "\u2010": "\u20105", "\u2212": "\u22125", "\uff0d": "\uff0d5",
            "\uff0b": "\uff0b5", "\u201c": "\u201c1\u201d", "\u2018": "\u20181\u2019", "\u00ab": "\u00ab1\u00bb",
            "\u2019": "1\u2019000", "\u20ac": "1,50\u20ac",
            "\u00a3": "\u00a35", "\u00a5": "5\u00a5", "\u00bd": "1\u00bd", "\u00b2": "5\u00b2",
            "\u221e": "\u221e", "\u2030": "5\u2030", "\u2248": "\u22485",
            "\u00b1": "5\u00b11", "\u00d7": "1\u00d710^3", "\u2026": "1,\u2026,9", "\u2022": "\u2022 5",
            "\u00b0": "20\u00b0", "\u2044": "1\u20442",
            "\u2028": "1\u20282", "\u0d66": "\u0d66", "\u4e00": "\u4e00", "\ufffd": "\ufffd",
        }.items()
    ],
    ("1\x002", "U+0000"), ("1\x1a", "U+001A"), ("1,\x1b[2J", "U+001B"), ("1\x0c2", "U+000C"), ("\x7f1", "U+007F"),
    # what stands around a number
    ("[1, 2, 3]", "brackets"), ("{1,2}", "brackets"), ("1,2)", "brackets"), ("(1.5)", "Parentheses"),
    ("(1.5),(2)", "Parentheses"), ("5%", "percent"), ("5 %;6 %", "percent"), ("$1.50", "currency"),
    ("-$5", "currency"),
    ("5$", "currency"), ("5 EUR;6", "currency"), ("USD 5;6", "currency"), ("5 EUR", "currency"), ("~5", "in front"),
    ("<5", "in front"), (">=5", "in front"), ("=5", "in front"), ("5kg", "unit"), ("5 kg,6", "unit"),
    ("1.5f", "unit"),
    ("5k", "factor"), ("3M", "factor"), ("2.5B", "factor"), ('"1","2"', "quotes"), ("'1'", "quotes"),
    ("`1`", "quotes"),
    ("1st", "ordinal"), ("2nd", "ordinal"), ("5-", "sign belongs before"), ("--5", "one sign"), ("+-5", "one sign"),
    ("- 5;1", "one sign"),
    # other ways to write a number
    ("1'000", "thousands"), ("1_000", "thousands"), ("1_000_000", "thousands"), ("1;1,234", "--thousands"),
    ("1;1,234,567.5", "--thousands"), ("1.234.567", "thousands"), ("1,5;2,5", "--decimal-comma"),
    ("1;,5", "decimal point"),
    ("1;1.234,5", "--decimal-comma"), ("1;2,3,4", "not by both"), ("1e5.2", "exponent"), ("1e", "exponent"),
    ("e5", "exponent"), ("1.5E+", "exponent"), ("1d5", "1e5"), ("1*10^5", "1e5"), ("10^5", "1e5"), ("-10**5", "1e5"),
    ("10^5 2", "1e5"), ("2 * 10 ** 5;1", "1e5"), ("0x1f", "in decimal"),
    ("0b101", "in decimal"), ("1/2", "Fractions"), ("1.2.3", "one decimal point"), ("1..2", "one decimal point"),
    ("XIV", "Roman"), ("1+2j", "Complex"), ("1j", "Complex"),
    # what is no number at all
    ("NaN", "missing value"), ("nan,1", "missing value"), ("NA", "missing value"), ("n/a", "missing value"),
    ("#N/A", "missing value"), ("null", "missing value"), ("None", "missing value"), ("-", "missing value"),
    ("1,-,3", "missing value"), ("?", "missing value"), ("#DIV/0!", "missing value"), ("inf", "Infinity"),
    ("-Infinity", "Infinity"), ("true", "1 or 0"), ("2024-01-02", "date"), ("2024-01-02T03:04", "date"),
    ("1/2/2024", "date"), ("02.01.2024", "date"), ("12:30", "time"), ("1:02:03.5", "time"), ("5-7", "range"),
    ("1..5", "one decimal point"), ("1|2|3", "Separate numbers by"), ("1:2:3:4", "Separate numbers by"),
    ("1\\n2", "backslash"),
    ("1 2,3", "Spaces separate only"), ("1 2\n3,4", "Spaces separate only"), ("1,5 2,5", "--decimal-comma"),
    # files as programs write them
    ("price\n1\n2", "--skip-header"), ("id,price\n1,2", "--skip-header"), ('"price"\n1', "--skip-header"),
    ("gr\u00f6\u00dfe\n1", "--skip-header"), ("a b\n1 2\n", "--skip-header"), ("sep=;\n1;2", "--skip-header"),
    ("sep=,\n1,2", "--skip-header"), ("# x\n1", "--skip-header"), ("//x\n1", "--skip-header"),
    ("1,2,\n3,4,\n", "separator at the end"),
    ("1;2;\r\n3;4;\r\n5", "separator at the end"), ("1,2,\n", "Write a number there"),
    ("1,2, \r3,4, \r5", "separator at the end"),
    ("1\n\n2", "empty line"), ("\n1", "empty line"), ("1\r\n \r\n2", "empty line"),
    ("1,,2", "Write a number there"),
]  # fmt: skip


#: The same, of what spaces have split.
SPLIT = [
    ("5 %", "percent"), ("1 2\n3\t% 4", "percent"), ("5 % .5", "percent"), ("5 k", "factor"), ("5 k 6 k", "factor"),
    ("5 kg", "unit"), ("12 h 30 min", "unit"), ("+ 5", "one sign"), ("1 + 5", "one sign"), ("1\n+ 5", "one sign"),
    ("~ 5", "in front"), ("5 to 7", "range"), ("5 | 6", "Separate numbers by"),
    ("10 ^ 5", "1e5"), ("1.5 x 10^5", "1e5"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), KINDS, ids=[ascii(text) for text, _ in KINDS])
def test_each_kind_is_rejected_with_a_hint_that_names_it(text: str, said: str) -> None:
    with pytest.raises(NotANumberList) as raised:
        parser.read(text)

    assert said in raised.value.hint
    assert raised.value.sentence.isprintable()


@pytest.mark.parametrize(("text", "said"), KINDS, ids=[ascii(text) for text, _ in KINDS])
def test_a_long_list_gets_the_same_hint(text: str, said: str) -> None:
    content = (text if any(char in text for char in ",;\r\n ") else f"{text},1").encode()

    with pytest.raises(InvalidItem) as raised:
        list(Pieces(ByteRange(start=0, stop=len(content), size=len(content))).read([content]))

    hint = raised.value.parse_error.hint
    # What comes in pieces is read by one kind of separator only.
    assert "the same character" in hint if {",", ";"} <= set(text) else said in hint


@pytest.mark.parametrize(("text", "said"), SPLIT, ids=[ascii(text) for text, _ in SPLIT])
def test_what_spaces_have_split_gets_the_hint_for_the_whole(text: str, said: str) -> None:
    content = f"{text}\n1".encode()

    with pytest.raises(NotANumberList) as raised:
        parser.read(text)
    with pytest.raises(InvalidItem) as streamed:
        list(Pieces(ByteRange(start=0, stop=len(content), size=len(content))).read([content]))

    assert said in raised.value.hint
    assert said in streamed.value.parse_error.hint


@pytest.mark.parametrize("text", ["x", "abc", "1,x", "1,12x", "1\nprice", "1,price\n2"])
def test_a_word_gets_no_hint_but_at_a_lists_beginning(text: str) -> None:
    with pytest.raises(NotANumberList) as raised:
        parser.read(text)

    assert raised.value.hint == hints.USUAL


@pytest.mark.parametrize("text", ["1 2\n%", "1\n%\n5", "1 ^", "1 2^3 4", "+\n5", "1 x 2", "+ x", "+ 5]"])
def test_words_of_other_lines_and_what_is_no_number_are_no_part_of_it(text: str) -> None:
    with pytest.raises(NotANumberList) as raised:
        parser.read(text)

    assert raised.value.hint == hints.USUAL


def test_a_piece_that_does_not_begin_the_list_has_no_header() -> None:
    parse_error = parser.read_piece("price\n1\n", ",", is_first=False)

    assert isinstance(parse_error, ParseError)
    assert parse_error.hint == hints.USUAL


UGLY = ["1", "1.", "1,", "1e", "1-", "-", ".", "(", "[1", '"', "'1", "x", "1x", "$", "1 ", " ", "1_000", "1|", "1:2",
        "a'", "\u202f", "1\u2009", "\\n", "~", "1'000", "1.000", "1,000", "0x"]  # fmt: skip


@pytest.mark.parametrize("part", UGLY)
@pytest.mark.parametrize("size", [hints.MAX_CHARACTERS, 1_000_000])
def test_a_hint_costs_little_whatever_the_item(part: str, size: int) -> None:
    item = (part * size)[: size - 1] + "!"

    started = time.process_time()
    hints.of_item(item, begins_lines=True)
    hints.in_row(f"{item} {item} {item}", len(item) + 1, item)
    hints.in_row(f"{item} % {item}", len(item) + 1, "%")

    # By the square of the length, a million characters take hours, and 412 of them many milliseconds.
    assert time.process_time() - started < 1
