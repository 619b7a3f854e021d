"""Purging, dead letters, and whether all is well, on queues in memory."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
from rich.console import Console

from courier import Application
from courier.aws.message import Message
from courier.cli.console import Terminal
from courier.cli.queue_commands import COMMANDS, QueueCommands, add_commands
from courier.errors import AccessDenied, ResponseTimeout, WrongUsage
from courier.messaging.connection import Connection
from courier.messaging.protocol import PONG, Response, decode_request, encode_reply
from tests.support.fakes import FakeAws, client_error

REQUESTS, REPLIES, DEAD = "requestQueue", "responseQueue", "requestQueue-dead"
NUMBERS = Application("numbers", requests=REQUESTS, replies=REPLIES, program="numbers_worker.py")


class Person(Terminal):
    """A terminal with a user who says yes or no, or without a user."""

    def __init__(self, answer: bool | None) -> None:  # noqa: FBT001  what is answered
        self.out, self.err = io.StringIO(), io.StringIO()
        super().__init__(Console(file=self.out, width=200), Console(file=self.err, width=200))
        self.answer = answer
        self.asked: list[str] = []

    @property
    def is_interactive(self) -> bool:
        return self.answer is not None

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return bool(self.answer)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    made.queues.waits = False
    for name in (REQUESTS, REPLIES, DEAD):
        made.queues.create_queue(QueueName=name)
    monkeypatch.setattr("courier.aws.session.Aws", lambda *_: made)
    return made


def queue_commands(person: Person, *, as_json: bool = False, timeout_seconds: float = 5) -> QueueCommands:
    connection = Connection(NUMBERS, credentials_seconds=0, tell=lambda _: None)
    return QueueCommands(connection, person, as_json=as_json, timeout_seconds=timeout_seconds)


# Purging


@pytest.mark.parametrize("sure", [False, True])
def test_a_purge_that_is_denied_says_so_and_the_menu_does_from_then_on(aws: FakeAws, *, sure: bool) -> None:
    aws.queues.put(REQUESTS, "1")
    aws.queues.fail("purge_queue", client_error("AccessDenied"))
    person = Person(answer=True)
    commands = queue_commands(person)
    remark = commands.purging["remark"]
    assert remark() == ""

    for _ in range(2):
        with pytest.raises(AccessDenied, match=r"sqs:PurgeQueue.* nothing") as raised:
            commands.purge(sure=sure)

    assert raised.value.exit_status == 4
    assert aws.queues.operations.count("purge_queue") == 1
    assert len(person.asked) == (0 if sure else 1)
    assert "not allowed" in remark()


def test_a_purge_asks_says_how_many_and_empties_the_queue(aws: FakeAws) -> None:
    aws.queues.put(REQUESTS, *"abc")
    person = Person(answer=True)

    queue_commands(person).purge()

    assert "3 requests in requestQueue" in person.asked[0]
    assert aws.queues.bodies(REQUESTS) == []
    assert "Purged requestQueue" in person.out.getvalue()


def test_who_says_no_deletes_nothing(aws: FakeAws) -> None:
    aws.queues.put(REQUESTS, "a")
    person = Person(answer=False)

    queue_commands(person).purge()

    assert aws.queues.bodies(REQUESTS) == ["a"]
    assert "Nothing was deleted" in person.out.getvalue()


def test_where_nobody_can_be_asked_a_yes_is_needed(aws: FakeAws) -> None:
    aws.queues.put(REQUESTS, "a")

    with pytest.raises(WrongUsage) as raised:
        queue_commands(Person(answer=None)).purge()

    assert "--yes" in raised.value.hint
    assert aws.queues.bodies(REQUESTS) == ["a"]


def test_a_yes_beforehand_asks_nobody(aws: FakeAws) -> None:
    aws.queues.put(REQUESTS, "a")
    person = Person(answer=False)

    queue_commands(person).purge(sure=True)

    assert (person.asked, aws.queues.bodies(REQUESTS)) == ([], [])


def test_an_empty_queue_is_nothing_to_ask_about_but_purged_if_that_is_wanted(aws: FakeAws) -> None:
    person = Person(answer=True)

    queue_commands(person).purge()
    assert (person.asked, "purge_queue" in aws.queues.operations) == ([], False)
    assert "is empty" in person.out.getvalue()
    queue_commands(person).purge(sure=True)
    assert "purge_queue" in aws.queues.operations


def test_where_nobody_sits_an_empty_queue_needs_a_yes_too(aws: FakeAws) -> None:
    with pytest.raises(WrongUsage):
        queue_commands(Person(answer=None)).purge()

    assert "purge_queue" not in aws.queues.operations


def test_a_second_purge_within_a_minute_is_said_to_have_done_nothing(aws: FakeAws) -> None:
    person = Person(answer=True)
    made = queue_commands(person)
    made.purge(sure=True)
    aws.queues.put(REQUESTS, "a")

    made.purge(sure=True)

    assert aws.queues.bodies(REQUESTS) == ["a"]
    assert "Nothing was deleted" in person.out.getvalue()


def test_a_purge_is_reported_to_programs(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.queues.put(REQUESTS, "a")
    made = queue_commands(Person(answer=None), as_json=True)

    made.purge(sure=True)
    made.purge(sure=True)

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"queue": REQUESTS, "purged": True, "requests": 1}
    assert second == {"queue": REQUESTS, "purged": False, "requests": 0}


# Dead letters


def test_dead_letters_are_shown_and_left(aws: FakeAws) -> None:
    aws.queues.put(DEAD, "x" * 100, reason="Too often.")
    person = Person(answer=None)

    queue_commands(person).dead()

    shown = person.out.getvalue()
    assert f"{DEAD}: 1" in shown
    assert "Too often." in shown
    assert "x" * 40 in shown
    assert "x" * 41 not in shown
    assert len(aws.queues.bodies(DEAD)) == 1


@pytest.mark.parametrize(("lines", "shown"), [(24, 4), (10, 1), (None, 4)])
def test_a_menu_shows_the_dead_letters_it_has_room_for_and_asks_whether_they_go_back(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, lines: int | None, shown: int
) -> None:
    monkeypatch.setattr("courier.cli.output.lines", lambda _stream: lines)
    aws.queues.put(DEAD, *(f"letter {number}" for number in range(6)))
    person = Person(answer=False)

    queue_commands(person).show_dead_letters()

    assert person.out.getvalue().count("letter ") == shown
    assert "requestQueue-dead: 6" in person.out.getvalue()
    assert person.asked == ["Send about 6 requests of requestQueue-dead back to the workers?"]
    assert len(aws.queues.bodies(DEAD)) == 6


def test_dead_letters_are_reported_to_programs(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.queues.put(DEAD, "x" * 200, reason="Too often.")

    queue_commands(Person(answer=None), as_json=True).dead()

    listed = json.loads(capsys.readouterr().out)
    assert (listed["queue"], listed["count"]) == (DEAD, 1)
    assert listed["letters"] == [
        {"id": aws.queues.queue(DEAD).messages[0].message_id, "body": "x" * 100, "reason": "Too often."}
    ]


@pytest.mark.parametrize(("answer", "sure", "moved"), [(True, False, 2), (False, False, 0), (None, True, 2)])
def test_dead_letters_go_back_if_that_is_sure(aws: FakeAws, answer: bool | None, moved: int, *, sure: bool) -> None:  # noqa: FBT001
    aws.queues.put(DEAD, "a", "b")
    person = Person(answer=answer)

    queue_commands(person).redrive(sure=sure)

    assert len(aws.queues.bodies(REQUESTS)) == moved
    assert ("Sent 2 requests back" if moved else "Nothing was sent") in person.out.getvalue()
    assert all("2 requests" in question for question in person.asked)


@pytest.mark.parametrize(("answer", "sure"), [(True, False), (None, True), (True, True)])
def test_an_empty_dead_letter_queue_is_called_empty(aws: FakeAws, answer: bool | None, *, sure: bool) -> None:  # noqa: FBT001
    person = Person(answer=answer)

    queue_commands(person).redrive(sure=sure)
    queue_commands(person).dead()

    assert person.asked == []
    assert person.out.getvalue() == f"{DEAD} is empty.\n" * 2
    assert aws.queues.bodies(REQUESTS) == []


def test_an_empty_dead_letter_queue_still_has_a_row_for_programs(
    aws: FakeAws,  # noqa: ARG001  the queues
    capsys: pytest.CaptureFixture[str],
) -> None:
    queue_commands(Person(answer=None), as_json=True).dead()

    assert json.loads(capsys.readouterr().out) == {"queue": DEAD, "count": 0, "letters": []}


def test_what_went_back_is_reported_to_programs(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.queues.put(DEAD, "a")

    queue_commands(Person(answer=None), as_json=True).redrive(sure=True)

    assert json.loads(capsys.readouterr().out) == {"queue": DEAD, "sent_back": 1}


# Check


def answer_pings(aws: FakeAws) -> None:
    """Have a worker answer whatever is sent."""

    def reply(_: object) -> None:
        for message in aws.queues.queue(REQUESTS).messages:
            attributes = {name: value["StringValue"] for name, value in message.attributes.items()}
            request = decode_request(Message(body=message.body, attributes=attributes))
            reply = encode_reply(Response(body=PONG, request_id=request.request_id, deadline=request.deadline))
            named = {name.replace("-", "_"): value for name, value in reply.attributes.items()}
            aws.queues.put(REPLIES, reply.body, **named)
        aws.queues.queue(REQUESTS).messages.clear()

    aws.queues.hooks["receive_message"] = reply


def checked(aws: FakeAws, capsys: pytest.CaptureFixture[str], person: Person | None = None) -> dict[str, object]:
    assert queue_commands(person or Person(answer=None), as_json=True).check() == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    assert aws.queues.operations
    return found


def test_a_check_tells_all_that_is_needed(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    answer_pings(aws)
    aws.queues.put(DEAD, "a")
    aws.metrics.points = [
        {"Timestamp": datetime.now(UTC) - timedelta(minutes=age), "Maximum": float(10 * age)} for age in (3, 1, 2)
    ]

    found = checked(aws, capsys)

    assert (found["account"], found["region"]) == ("123456789012", "us-east-1")
    assert (found["messages_in_requestQueue"], found["messages_in_responseQueue"], found["dead_letters"]) == (0, 0, 1)
    assert (found["oldest_request_seconds"], found["clock_difference_seconds"]) == (10.0, 0.0)
    assert isinstance(found["worker_answers_in_seconds"], float)


def test_an_unknown_version_is_none(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    answer_pings(aws)
    aws.metrics.fail("get_metric_statistics", client_error("AccessDenied"))
    aws.queues.delete_queue(QueueUrl=aws.queues.get_queue_url(QueueName=DEAD)["QueueUrl"])

    found = checked(aws, capsys)

    assert (found["oldest_request_seconds"], found["dead_letters"]) == (None, None)


def test_a_check_is_shown_as_a_table(aws: FakeAws) -> None:
    answer_pings(aws)
    person = Person(answer=None)

    queue_commands(person).check()

    shown = person.out.getvalue()
    assert "messages in requestQueue" in shown
    assert "none" in shown
    assert person.err.getvalue() == ""


@pytest.mark.parametrize(("behind", "warned"), [(0, False), (50, False), (-50, False), (120, True), (-120, True)])
def test_a_clock_that_will_be_rejected_is_warned_of(aws: FakeAws, behind: int, *, warned: bool) -> None:
    answer_pings(aws)
    person = Person(answer=None)
    now = datetime.now(UTC).timestamp()
    aws.clock.read(formatdate(now + behind, usegmt=True))

    queue_commands(person).check()

    assert ("clock" in person.err.getvalue()) is warned


def test_a_silent_worker_is_an_error_after_all_else_was_reported(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ResponseTimeout) as raised:
        queue_commands(Person(answer=None), as_json=True, timeout_seconds=0.1).check()

    assert "numbers_worker.py" in raised.value.hint
    assert json.loads(capsys.readouterr().out)["worker_answers_in_seconds"] is None
    assert aws.queues.operations


# Commands


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    add_commands(lambda name, text: commands.add_parser(name, help=text))
    return parser.parse_args(arguments)


def test_the_commands_are_the_documented_ones_and_two_take_a_yes() -> None:
    assert {parsed(name).command for name in COMMANDS} == set(COMMANDS)
    assert [name for name in COMMANDS if hasattr(parsed(name), "yes")] == ["purge", "redrive"]
    assert (parsed("purge").yes, parsed("purge", "--yes").yes) == (False, True)


def test_each_command_does_what_it_says(aws: FakeAws) -> None:
    person = Person(answer=None)
    made = queue_commands(person)
    aws.queues.put(DEAD, "a")

    assert made.run(parsed("redrive", "--yes")) == 0
    assert aws.queues.bodies(REQUESTS) == ["a"]
    assert made.run(parsed("purge", "--yes")) == 0
    assert aws.queues.bodies(REQUESTS) == []
    assert made.run(parsed("dead")) == 0
    assert f"{DEAD} is empty" in person.out.getvalue()
    answer_pings(aws)
    assert made.run(parsed("check")) == 0
    assert "Check" in person.out.getvalue()
