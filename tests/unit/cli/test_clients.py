"""A client's terminal and requester end with its signals, and have its settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from courier import Worker, testing
from courier.cancellation import Canceled
from courier.cli.clients import make_requester, make_terminal
from courier.cli.command_line import CANCELLATION, SIGNALS
from courier.errors import ResponseTimeout
from courier.numbers.application import application
from courier.settings import load_settings
from tests.support.screens import Screen
from tests.support.signals import kept_signals

NUMBERS = application(load_settings({}))


@pytest.fixture(autouse=True)
def queues() -> Iterator[testing.Queues]:
    with kept_signals(), testing.queues(NUMBERS) as made:
        yield made


def test_a_request_has_the_clients_name_and_its_time() -> None:
    names: list[str] = []

    def note(request: object) -> str:
        names.append(getattr(request, "name", ""))
        return "done"

    requester = make_requester(NUMBERS, load_settings({"COURIER_NAME": "anna"}), Screen().terminal, timeout_seconds=30)
    with Worker(note, NUMBERS), requester:
        assert requester.request("1").body == "done"

    assert names == ["anna"]
    hasty = make_requester(NUMBERS, load_settings({}), Screen().terminal, timeout_seconds=0.01)
    with hasty, pytest.raises(ResponseTimeout):
        hasty.request("1")


def test_a_signal_cancels_a_request_and_cleans_up_after_the_client(queues: testing.Queues) -> None:
    requester = make_requester(NUMBERS, load_settings({}), Screen().terminal, timeout_seconds=30)
    requester.prepare()
    requester.max_body_bytes(1)
    CANCELLATION.cancel()

    with pytest.raises(Canceled):
        requester.request("1")
    SIGNALS.clean_up()

    assert queues.bodies(NUMBERS.requests) == []
    assert SIGNALS.clean_up == requester.close


@pytest.mark.parametrize("plain", ["", "1"])
def test_answers_are_kept_for_later_sessions_unless_output_is_plain(
    plain: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    terminal = make_terminal(load_settings({"COURIER_PLAIN": plain}))

    terminal.keep("numbers", "1, 5, 22")

    assert terminal.plain == bool(plain)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == (0 if plain else 1)


def test_a_canceled_menu_goes_on_after_ctrl_c_only() -> None:
    terminal = make_terminal(load_settings({}))
    CANCELLATION.cancel()

    assert terminal.reset()
    assert not CANCELLATION.is_canceled
    SIGNALS.number = 15
    assert not terminal.reset()
