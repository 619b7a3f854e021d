from __future__ import annotations

import re
import traceback

import pytest

from courier import errors
from courier.errors import CourierError, ResponseTimeout


def every_error(base: type[CourierError] = CourierError) -> list[type[CourierError]]:
    own = [child for child in base.__subclasses__() if child.__module__ == errors.__name__]
    return [base, *(kind for child in own for kind in every_error(child))]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_without_words_says_the_first_line_of_its_docstring(kind: type[CourierError]) -> None:
    assert str(kind()) == (kind.__doc__ or "").partition("\n")[0]
    assert str(kind()).endswith(".")


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^[│├└─ ]*([A-Z]\w+)", errors.__doc__ or "", flags=re.MULTILINE)

    assert {name for name in drawn if hasattr(errors, name)} == {kind.__name__ for kind in every_error()}


@pytest.mark.parametrize(
    ("kind", "status"),
    [(errors.NotANumberList, 1), (errors.WrongSetting, 2), (errors.ResponseTimeout, 3), (errors.QueueMissing, 4)],
)
def test_exit_statuses_follow_the_kind(kind: type[CourierError], status: int) -> None:
    assert kind("x").exit_status == status


def test_a_sentence_holds_the_hint_too() -> None:
    assert CourierError("It broke.", hint="Fix it.").sentence == "It broke. Fix it."


def test_a_traceback_shows_the_hint() -> None:
    shown = "".join(traceback.format_exception(ResponseTimeout("No response came.", hint="Start a worker.")))

    assert shown.endswith("No response came.\nStart a worker.\n")
