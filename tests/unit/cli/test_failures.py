"""What goes wrong in a command that does several things: reported at once, and counted for the exit status."""

from __future__ import annotations

import json
from typing import cast

import pytest

from courier.cli.console import Terminal
from courier.cli.failures import Failures, confirm_replace
from courier.errors import (
    AccessDenied,
    BucketMissing,
    CourierError,
    Reason,
    Rejected,
    ResponseTimeout,
    Unreachable,
    WrongUsage,
)

# Several things in one command


def test_what_fails_is_reported_and_the_next_is_tried_and_the_worst_counts() -> None:
    reported: list[CourierError] = []
    failures = Failures(reported.append)
    assert failures.worst == 0
    done: list[str] = []

    for name, error in [("a", ResponseTimeout("Silence.", hint="Start it.")), ("b", Rejected("Wrong.")), ("c", None)]:
        with failures.noted(name, "run"):
            if error:
                raise error
            done.append(name)

    assert done == ["c"]
    assert [(one.message, one.hint) for one in reported] == [("a: Silence.", "Start it."), ("b: Wrong.", "")]
    assert failures.worst == ResponseTimeout.exit_status


def test_a_message_that_names_the_thing_stays_as_it_is() -> None:
    reported: list[CourierError] = []
    error = Rejected("'cat.png' is empty.")

    with Failures(reported.append).noted("cat.png", "run"):
        raise error

    assert reported == [error]


def test_for_programs_it_is_a_row_with_the_reason_if_there_is_one() -> None:
    written: list[str] = []
    failures = Failures(lambda _: None, written.append)

    for name, error in [
        ("a", Rejected("Bad.", hint="Fix it.", reason=Reason.CORRUPT)),
        ("b", Rejected("Bad.")),
        ("c", ResponseTimeout("Silence.")),
    ]:
        with failures.noted(name, "run"):
            raise error
    with failures.noted("d", "download", result="d"):
        raise Rejected("Gone.")

    rows = [json.loads(line) for line in written]
    assert [(row["step"], row["name"], row["result"], row["error"], row["reason"]) for row in rows] == [
        ("run", "a", None, "Bad. Fix it.", "corrupt"),
        ("run", "b", None, "Bad.", None),
        ("run", "c", None, "Silence.", None),
        ("download", None, "d", "Gone.", None),
    ]


@pytest.mark.parametrize("error", [AccessDenied(), BucketMissing(), Unreachable()])
def test_an_aws_error_would_meet_the_next_item_too(error: CourierError) -> None:
    reported: list[CourierError] = []
    rows: list[str] = []

    with pytest.raises(type(error)), Failures(reported.append, rows.append).noted("a", "run"):
        raise error

    assert reported == []
    assert rows == []


class Prompt:
    """A person who answers."""

    def __init__(self, *, agrees: bool) -> None:
        self._agrees = agrees
        self.asked: list[str] = []

    def confirm(self, text: str) -> bool:
        self.asked.append(text)
        return self._agrees


def test_who_agrees_may_replace() -> None:
    prompt = Prompt(agrees=True)

    confirm_replace("a.png exists.", cast("Terminal", prompt))

    assert "a.png" in prompt.asked[0]


def test_who_does_not_agree_replaces_nothing() -> None:
    with pytest.raises(WrongUsage):
        confirm_replace("a.png exists.", cast("Terminal", Prompt(agrees=False)))


def test_where_nobody_can_be_asked_an_option_is_needed() -> None:
    with pytest.raises(WrongUsage, match=r"a\.png") as raised:
        confirm_replace("a.png exists.", None)

    assert "--replace" in raised.value.hint
