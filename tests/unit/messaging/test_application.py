"""What workers and clients of an application agree on."""

from __future__ import annotations

import pytest

from courier.errors import WrongUsage
from courier.images.application import application as images
from courier.messaging.application import Application
from courier.numbers.application import application as numbers
from courier.settings import Settings


@pytest.mark.parametrize("name", ["", "a b", "x" * 81, "x" * 76, "tä"])
def test_what_cannot_be_a_queues_name_is_named(name: str) -> None:
    with pytest.raises(WrongUsage, match="is no queue's name"):
        Application("a", requests=name, replies="b")


def test_requests_and_replies_have_queues_of_their_own() -> None:
    with pytest.raises(WrongUsage, match="a has the queue b for requests and for replies"):
        Application("a", requests="b", replies="b")


def test_both_applications_are_what_the_settings_and_the_first_versions_messages_say() -> None:
    found = [(one.name, one.kind, one.requests, one.replies) for one in (numbers(Settings()), images(Settings()))]

    assert found == [
        ("numbers", "numbers", "requestQueue", "responseQueue"),
        ("images", "image", "imageInbox", "imageOutbox"),
    ]
