"""What a response must hold is looked at where it is read, and what it lacks is said."""

from __future__ import annotations

from typing import Any

import pytest

from courier.aws.responses import endpoint_hint, needed, needed_number, not_from_aws
from courier.errors import Unreachable

RESPONSE: dict[str, Any] = {"Attributes": {"Depth": "5", "Name": "queue", "None": None}, "Empty": ""}


def test_what_is_there_is_returned_however_deep_and_however_empty() -> None:
    assert needed("look", RESPONSE, "Attributes", "Name") == "queue"
    assert needed("look", RESPONSE, "Empty") == ""
    assert needed("look", RESPONSE) is RESPONSE


@pytest.mark.parametrize(
    ("names", "missing"), [(["Nothing"], "Nothing"), (["Attributes", "Age"], "Age"), (["Empty", "Name"], "Name")]
)
def test_what_is_missing_is_said_by_its_name(names: list[str], missing: str) -> None:
    with pytest.raises(Unreachable, match=f"look: .*without {missing}"):
        needed("look", RESPONSE, *names)


def test_a_number_is_read_as_one() -> None:
    assert needed_number("look", RESPONSE, "Attributes", "Depth") == 5


@pytest.mark.parametrize("name", ["Name", "None"])
def test_what_is_no_number_is_said(name: str) -> None:
    with pytest.raises(Unreachable, match=f"no number in {name}"):
        needed_number("look", RESPONSE, "Attributes", name)


def test_a_server_that_answers_unlike_aws_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:password@host:1")

    hint = not_from_aws("look", "HTML").hint

    assert "host:1" in hint
    assert "password" not in hint


def test_where_no_endpoint_is_set_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    assert endpoint_hint("Is it{} right?") == "Is it right?"
