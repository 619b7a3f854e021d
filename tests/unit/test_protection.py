"""When an instance is protected; a real group is in tests/contract."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from courier import protection
from courier.aws import Aws
from courier.protection import IDLE_SECONDS, RETRY_SECONDS, Protection


class Group:
    """Stands for Auto Scaling: notes what it is told, and refuses when told to."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.is_closed = False

    def set_instance_protection(self, *, ProtectedFromScaleIn: bool, **_: Any) -> None:  # noqa: N803  boto3's name
        self.told.append(ProtectedFromScaleIn)
        if self.is_closed:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "SetInstanceProtection")

    def autoscaling(self) -> Group:
        return self


class Ticks:
    """A stop event that sets the clock on by one look at each wait, and stops after the last of what it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(protection, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.left = 0

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.left -= 1
        return self.left < 0


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    return Ticks(monkeypatch)


def make(group: Group, *, is_busy: bool = False) -> tuple[Protection, dict[str, bool]]:
    state = {"is_busy": is_busy}
    made = Protection(cast("Aws", group), group="g", instance_id="i", is_busy=lambda: state["is_busy"])
    return made, state


def watch(one: Protection, ticks: Ticks, seconds: float) -> None:
    ticks.left = int(seconds / protection.LOOK_SECONDS)
    one.watch(cast("Any", ticks))


def test_it_is_protected_once_while_there_is_work(ticks: Ticks) -> None:
    group = Group()
    one, _ = make(group, is_busy=True)

    watch(one, ticks, 60)

    assert group.told == [True]


def test_it_is_given_up_once_when_there_was_no_work_for_a_while_and_no_sooner(ticks: Ticks) -> None:
    group = Group()
    one, state = make(group, is_busy=True)
    watch(one, ticks, 5)
    state["is_busy"] = False

    watch(one, ticks, IDLE_SECONDS - 1)
    assert group.told == [True]
    watch(one, ticks, IDLE_SECONDS * 3)

    assert group.told == [True, False]


def test_what_a_worker_before_this_one_left_protected_is_given_up(ticks: Ticks) -> None:
    group = Group()
    one, _ = make(group)

    watch(one, ticks, IDLE_SECONDS * 3)

    assert group.told == [False]


def test_while_the_other_worker_works_it_stays_protected(ticks: Ticks) -> None:
    group = Group()
    one, _ = make(group, is_busy=True)
    other, _ = make(group, is_busy=True)
    watch(one, ticks, 5)
    watch(other, ticks, 5)

    one.take_back()
    assert group.told == [True, True]
    other.take_back()
    assert group.told == [True, True, False]


def test_after_a_refusal_the_next_call_comes_later(ticks: Ticks, caplog: pytest.LogCaptureFixture) -> None:
    group = Group()
    group.is_closed = True
    one, _ = make(group, is_busy=True)

    watch(one, ticks, RETRY_SECONDS - 1)
    assert group.told == [True]
    watch(one, ticks, 2)

    assert group.told == [True, True]
    assert "not protected" in caplog.text


def test_a_bug_is_no_refusal_of_awss(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group()
    one, _ = make(group, is_busy=True)
    monkeypatch.setattr(group, "autoscaling", lambda: None)

    with pytest.raises(AttributeError):
        watch(one, ticks, 5)
