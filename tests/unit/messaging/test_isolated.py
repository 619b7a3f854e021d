"""A user's handler in child processes: what it may do, and what becomes of it otherwise."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courier import Application, Rejected, Request, Requester, Worker, WorkerConfig, testing
from courier.errors import ServiceError, WrongUsage
from courier.messaging import isolated as isolated_module
from courier.messaging.isolated import IsolatedHandler, work
from courier.sandbox import SandboxFault
from tests.workers.wild import calls, wild

WILD = Application("wild", requests="wildRequests", replies="wildReplies")
CONFIG = WorkerConfig(isolate=True, time_limit_seconds=30, memory_megabytes=400)


def end(handler: IsolatedHandler) -> None:
    for process in handler._sandbox._idle:
        process.end()


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedHandler]:
    made = IsolatedHandler(wild, CONFIG)
    yield made
    end(made)


def test_a_request_goes_there_and_its_response_comes_back(isolated: IsolatedHandler) -> None:
    found = isolated(Request(body="details", options={"a": "ä"}, request_id="7"))

    assert found.details == {"options": {"a": "ä"}, "id": "7"}
    assert int(found.body) != os.getpid()
    assert isolated(Request(body="ä")).body.endswith(" ä")
    assert calls == []


def test_it_sees_no_keys(isolated: IsolatedHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert "AWS" not in isolated(Request(body="keys")).body


def test_what_it_raises_is_raised(isolated: IsolatedHandler) -> None:
    with pytest.raises(Rejected, match="No") as raised:
        isolated(Request(body="reject"))
    with pytest.raises(SandboxFault, match="ZeroDivisionError"):
        isolated(Request(body="fail"))

    assert (raised.value.hint, raised.value.reason) == ("Yes.", "negative")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("busy", "The shop is closed. Come back."), ("full", "There is no space for temporary files.")],
)
def test_a_transient_error_is_the_workers_to_retry_as_one_of_a_handler_in_process(
    isolated: IsolatedHandler, body: str, sentence: str
) -> None:
    with pytest.raises(ServiceError) as raised:
        isolated(Request(body=body))

    assert raised.value.is_transient
    assert raised.value.sentence == sentence


def test_another_error_of_courier_is_a_rejection_as_of_a_handler_in_process(isolated: IsolatedHandler) -> None:
    with pytest.raises(Rejected) as raised:
        isolated(Request(body="denied"))

    assert (raised.value.sentence, raised.value.reason) == ("Not for you. Ask.", "")


@pytest.mark.parametrize(("body", "reason"), [("crash", "crashed"), ("eat", "out_of_memory")])
def test_what_ends_the_child_rejects_the_request(isolated: IsolatedHandler, body: str, reason: str) -> None:
    with pytest.raises(Rejected) as raised:
        isolated(Request(body=body))

    assert raised.value.reason == reason


def test_what_hangs_is_ended_with_the_limit_named() -> None:
    handler = IsolatedHandler(wild, WorkerConfig(time_limit_seconds=0.2))

    with pytest.raises(Rejected, match=r"more than 0\.2 s.*") as raised:
        handler(Request(body="hang"))

    assert "time_limit_seconds" in raised.value.hint


def test_a_handler_that_the_child_cannot_find_is_rejected_at_once() -> None:
    def local(request: Request) -> str:
        return request.body

    for handler in (local, lambda request: request.body):
        with pytest.raises(WrongUsage, match="cannot be isolated"):
            IsolatedHandler(handler, CONFIG)


def test_a_worker_with_isolation_outlives_its_handler() -> None:
    with testing.queues(WILD), Worker(wild, WILD, CONFIG), Requester(WILD) as requester:
        with pytest.raises(Rejected, match="crashed"):
            requester.request("crash")
        assert requester.request("hello").body == "1 hello"
        assert requester.request("busy").body == "3 busy"


def test_a_program_that_it_starts_finds_an_empty_stdin(isolated: IsolatedHandler) -> None:
    assert isolated(Request(body="read")).body == "''"


def test_what_is_no_json_is_a_bug_of_the_handler_and_no_crash(isolated: IsolatedHandler) -> None:
    with pytest.raises(SandboxFault, match="TypeError"):
        isolated(Request(body="set"))


def test_half_a_character_comes_back(isolated: IsolatedHandler) -> None:
    assert isolated(Request(body="half")).body == "\ud800"


def test_a_handler_without_a_name_is_rejected() -> None:
    with pytest.raises(WrongUsage, match="partial"):
        IsolatedHandler(functools.partial(wild), CONFIG)


# The child, in this process


@pytest.fixture(autouse=True)
def _handlers_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    isolated_module._handler.cache_clear()
    monkeypatch.setattr(sys, "path", list(sys.path))


def done(body: str, **order: object) -> tuple[dict[str, Any], str]:
    """Return the child's report and its result for a request."""
    source, result = io.BytesIO(json.dumps({"body": body, "request_id": "7"}).encode()), io.BytesIO()
    given = {"module": wild.__module__, "name": wild.__name__, "main": "", "path": sys.path, **order}
    return work(given, source, result), result.getvalue().decode(errors="surrogatepass")


def test_the_child_writes_the_body_and_reports_the_details() -> None:
    assert done("details") == ({"details": {"options": {}, "id": "7"}}, str(os.getpid()))
    assert done("half") == ({"details": {}}, "\ud800")


def test_the_child_reports_a_transient_error_and_raises_what_the_client_shall_read() -> None:
    assert done("full")[0] == {"transient": {"message": "There is no space for temporary files.", "hint": ""}}
    for body, sentence in (("reject", "No. Yes."), ("denied", "Not for you. Ask.")):
        with pytest.raises(Rejected) as raised:
            done(body)
        assert raised.value.sentence == sentence
    assert raised.value.reason == ""


def test_the_child_finds_a_handler_of_a_program_without_running_it_as_one(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "def shout(request):\n    return request.body.upper()\n\n"
        "if __name__ == '__main__':\n    raise SystemExit('a second worker')\n"
    )

    assert done("hello", module="__main__", name="shout", main=str(program)) == ({"details": {}}, "HELLO")


def test_the_child_finds_a_handler_where_its_worker_does(tmp_path: Path) -> None:
    (tmp_path / "only_there.py").write_text(
        "class Loud:\n    def shout(request):\n        return request.body.upper()\n"
    )

    found = done("hello", module="only_there", name="Loud.shout", path=[str(tmp_path), *sys.path])

    assert found == ({"details": {}}, "HELLO")
    sys.modules.pop("only_there")
