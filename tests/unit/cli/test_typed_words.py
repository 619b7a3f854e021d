from __future__ import annotations

import pytest

from courier.cli.typed_words import continued, last_word, split
from courier.errors import WrongUsage


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a.png b.png", ["a.png", "b.png"]),
        ("  a.png\tb.png \n", ["a.png", "b.png"]),
        (r"My\ Cat\ \(1\).png b.png", ["My Cat (1).png", "b.png"]),  # macOS
        ("'My Cat.png' 'it'\\''s.png'", ["My Cat.png", "it's.png"]),  # GNOME, KDE
        (r'"C:\Users\me\My Cat.png" C:\b.png', [r"C:\Users\me\My Cat.png", r"C:\b.png"]),  # Windows Terminal
        (r'"a \"b\" \n.png"', [r'a "b" \n.png']),
        (r"a\\b.png", [r"a\b.png"]),
        ("a\\", ["a\\"]),
        ("''", [""]),
        ("", []),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, words: list[str]) -> None:
    assert [word.text for word in split(line)] == words


def test_a_url_has_no_quotes() -> None:
    words = split("file:///tmp/It's.jpg 'My Cat.png' file://localhost/a\"b")

    assert [word.text for word in words] == ["file:///tmp/It's.jpg", "My Cat.png", 'file://localhost/a"b']


def test_separators_end_words_but_not_in_quotes() -> None:
    assert [(word.text, word.is_quoted) for word in split("1-3,'5,6' 7", ",")] == [
        ("1-3", False),
        ("5,6", True),
        ("7", False),
    ]


@pytest.mark.parametrize("line", ["it's.png", 'a "b', '"a\\"', "'"])
def test_an_open_quote_is_said_with_what_to_type(line: str) -> None:
    with pytest.raises(WrongUsage, match="is not closed") as raised:
        split(line)
    assert "Close it" in raised.value.hint


@pytest.mark.parametrize(
    ("line", "text", "start", "quote"),
    [
        ("a.png My\\ C", "My C", 6, ""),
        ("a.png 'My C", "My C", 6, "'"),
        ("a.png ", "", 6, ""),
        ("a.png,b", "b", 6, ""),
        ("", "", 0, ""),
    ],
)
def test_the_last_word_is_the_one_being_typed(line: str, text: str, start: int, quote: str) -> None:
    word = last_word(line, ",")

    assert (word.text, word.start, word.open_quote) == (text, start, quote)


@pytest.mark.parametrize("name", ["a.png", "My Cat.png", "it's.png", 'a"b\\c$d,e`f.png'])
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_word_that_was_completed_is_read_as_itself(name: str, quote: str) -> None:
    (word,) = split(quote + continued(name, quote) + quote, ",")

    assert word.text == name
