from __future__ import annotations

import pytest

from courier.cli import operation_prompt, output
from courier.cli.operation_prompt import complete, explain, read
from courier.errors import Rejected
from courier.images.operations import OPERATIONS
from tests.support.screens import Screen


@pytest.mark.parametrize(
    ("text", "pipeline"),
    [("", "grayscale"), ("resize=50%, sepia, convert=webp", "resize=50%,sepia,convert=webp"), (" lab3 ", None)],
)
def test_operations_are_done_one_after_another(text: str, pipeline: str | None) -> None:
    assert read(text).text == (pipeline or "black-and-white,convert=png")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("spia", "no operation 'spia'", "Did you mean sepia? ? lists all operations."),
        ("SEPIA", "no operation 'SEPIA'", "Did you mean sepia? ? lists all operations."),
        ("x", "no operation 'x'", "? lists all operations."),
        ("resize=50% sepia", "cannot take '50% sepia'", "Separate operations by commas: resize=50%,sepia."),
        ("sepia flip", "no operation 'sepia flip'", "Separate operations by commas: sepia,flip."),
        ("resize=big", "cannot take 'big'", "Write resize="),
        ("sepia,", "operation is missing", "remove a comma"),
    ],
)
def test_a_wrong_operation_is_said_in_a_line_with_what_can_be_typed(text: str, message: str, hint: str) -> None:
    with pytest.raises(Rejected, match=message) as raised:
        read(text)
    assert raised.value.hint.startswith(hint) or hint in raised.value.hint
    assert len(raised.value.hint) < 100


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("sep", ["sepia"]),
        ("sepia, fl", ["sepia, flip", "sepia, flop"]),
        ("bright", ["brightness="]),
        ("convert=w", ["convert=webp"]),
        ("we", ["web"]),
    ],
)
def test_tab_completes_the_last_operation(line: str, completed: list[str]) -> None:
    assert [one for one in complete(line) if one.startswith(line)] == completed


@pytest.mark.parametrize(("columns", "lines", "is_table"), [(60, 24, False), (100, 32, False), (120, 60, True)])
def test_all_operations_are_shown_as_far_as_the_screen_has_room(
    monkeypatch: pytest.MonkeyPatch, columns: int, lines: int, *, is_table: bool
) -> None:
    monkeypatch.setattr(output, "columns", lambda _stream: columns)
    monkeypatch.setattr(output, "lines", lambda _stream: lines)
    screen = Screen(is_terminal=True)

    explain(screen.terminal, "")

    shown = screen.shown.splitlines()
    assert ("brown tones" in screen.shown) is is_table
    assert {name for name in OPERATIONS if name not in screen.shown} == set()
    assert max(map(len, shown)) <= columns
    assert len(shown) < lines - 4


@pytest.mark.parametrize(
    ("name", "shown", "errors"),
    [
        ("sepia", "sepia: brown tones", ""),
        ("resize=50%", "resize=WxH|N%[:FIT", ""),
        ("web", "It means thumbnail=1600,", ""),
        ("spia", "", "no operation 'spia'.\nDid you mean sepia?"),
        ("x", "", "? lists all operations."),
    ],
)
def test_one_operation_is_explained(name: str, shown: str, errors: str) -> None:
    screen = Screen()

    explain(screen.terminal, name)

    assert shown in screen.shown
    assert errors in screen.errors
    assert len(screen.shown.splitlines()) <= 2


def test_a_screen_reader_gets_a_line_for_each_operation() -> None:
    screen = Screen(plain=True)

    explain(screen.terminal, "")

    assert "sepia\n  what it does: brown tones" in screen.shown
    assert operation_prompt.rows()
