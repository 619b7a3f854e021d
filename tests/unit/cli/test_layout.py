from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from courier.cli import layout

TEXTS = st.text(st.sampled_from("ab1 ,-中"), max_size=60)
WIDTHS = st.integers(2, 30)


@given(TEXTS, WIDTHS)
def test_wrapping_loses_no_word_and_cuts_none(text: str, width: int) -> None:
    lines = layout.wrapped(text, width)

    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert cell_len(line) <= width or len(line.split()) <= 1


@given(TEXTS, WIDTHS)
def test_folding_fits_and_loses_nothing(text: str, width: int) -> None:
    lines = layout.folded(text, width)

    joined = "".join(line.removesuffix("\\") if line.endswith("\\") else line + " " for line in lines)
    assert joined.split() == text.split()
    assert all(cell_len(line) <= max(width, layout.MIN_FOLD) for line in lines)


def test_lines_go_on_as_far_to_the_right_as_they_begin() -> None:
    assert layout.wrapped("  1  Send the message", 12) == ["  1  Send", "  the", "  message"]
    assert layout.wrapped("as wide as you like", None) == ["as wide as you like"]
    assert layout.wrapped("", 5) == [""]


@pytest.mark.parametrize(("word", "shown"), [("1234567890", "1234567890"), ("12345678901", "12345…8901")])
def test_a_long_word_keeps_its_beginning_and_its_end(word: str, shown: str) -> None:
    assert layout.shortened(word, 10) == shown


@pytest.mark.parametrize(
    ("at", "line", "caret"),
    [(1, "0x2345678…", " ^"), (12, "…8901x345…", "     ^"), (15, "…1234x6789", "     ^"), (19, "…5678x", "     ^")],
)
def test_a_drawing_is_cut_around_its_caret(at: int, line: str, caret: str) -> None:
    text = "".join("x" if place == at else str(place % 10) for place in range(20))
    drawing = f"{text}\n{' ' * at}^"

    assert layout.fitted_drawing(drawing, 10) == [line, caret]
    assert layout.fitted_drawing(drawing, 20) == drawing.splitlines()
    assert layout.fitted_drawing("", 10) == []


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    header, rows = ("name", "bytes"), [("a.png", "12"), ("b", "1,234,567")]

    assert layout.table_width(header, rows) == len("│ a.png │ 1,234,567 │")
    assert layout.room_beside(header, rows, 30) == 30 - len("│ a.png │ ") - len(" │")
    assert layout.room_beside(header, rows, 12) == 0


def test_records_have_a_line_for_each_fact() -> None:
    assert layout.records(("name", "bytes"), [("a", "1"), ("b", "2")]) == ["a", "  bytes: 1", "b", "  bytes: 2"]
    assert layout.records(("name", "bytes"), []) == []


COMMANDS = (
    "./run_local.sh up",
    "./aws_setup.sh up --name x",
    "python images_client.py dead",
    "aws configure",
    "rm -f x",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("end", ["", ".", "; or look elsewhere", " (once)", ", then go on"])
def test_a_command_is_not_broken_where_it_fits_a_line(command: str, end: str) -> None:
    text = f"  The local AWS is not running. Start it with: {command}{end}"

    for width in range(len(command) + 4, len(text) + 2):
        lines = layout.wrapped(text, width)
        assert [line for line in lines if command in line], (width, lines)
        assert " ".join(" ".join(lines).split()) == text.strip()


def test_a_command_longer_than_a_line_is_broken_after_its_verb() -> None:
    text = "Run ./aws_setup.sh up --name a-name-that-is-long --region us-east-1 --no-ec2"

    assert layout.wrapped(text, 30) == [
        "Run ./aws_setup.sh up --name",
        "a-name-that-is-long --region",
        "us-east-1 --no-ec2",
    ]
