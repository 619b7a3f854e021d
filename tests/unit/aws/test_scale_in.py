"""A machine that works is protected from scale-in; with moto's groups it is in tests/contract."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from courier.aws.scale_in import CHECK_SECONDS, IDLE_SECONDS, RETRY_SECONDS, ScaleInProtection, lock_folder
from tests.support.clocks import FakeTime, Ticks
from tests.support.fakes import FakeAws, client_error


class Machine:
    """One worker on a machine of a group; its calls are in `calls`."""

    def __init__(self, aws: FakeAws, clock: FakeTime) -> None:
        self._clock = clock
        self.is_busy = False
        self.protection = ScaleInProtection(aws, group="group", instance_id="i-1", is_busy=lambda: self.is_busy)
        self.calls = aws.machines

    def look(self, times: int, busy: set[int] | None = None) -> None:
        """Let the worker look so often, busy at the looks with these numbers."""

        def each(number: int) -> None:
            self.is_busy = number in (busy or set())

        self.protection.run(Ticks(times, self._clock, each))

    @property
    def protections(self) -> list[bool]:
        return [given["ProtectedFromScaleIn"] for given in self.calls.given("set_instance_protection")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    monkeypatch.setattr("courier.aws.scale_in.time", made)
    return made


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


#: How many looks an idle machine is given before it is taken for idle.
IDLE_LOOKS = int(IDLE_SECONDS / CHECK_SECONDS)


def test_a_machine_is_protected_once_from_its_first_work_on(aws: FakeAws, clock: FakeTime) -> None:
    machine = Machine(aws, clock)

    machine.look(5, busy={2, 3, 4, 5})

    (given,) = aws.machines.given("set_instance_protection")
    assert given == {"InstanceIds": ["i-1"], "AutoScalingGroupName": "group", "ProtectedFromScaleIn": True}


@pytest.mark.parametrize(("looks", "protections"), [(IDLE_LOOKS, [True]), (IDLE_LOOKS + 1, [True, False])])
def test_protection_ends_when_there_was_no_work_for_a_while_and_no_sooner(
    aws: FakeAws, clock: FakeTime, looks: int, protections: list[bool]
) -> None:
    machine = Machine(aws, clock)

    machine.look(looks, busy={1})

    assert machine.protections == protections


def test_work_now_and_then_keeps_it_protected(aws: FakeAws, clock: FakeTime) -> None:
    machine = Machine(aws, clock)

    machine.look(5 * IDLE_LOOKS, busy=set(range(1, 5 * IDLE_LOOKS, IDLE_LOOKS - 1)))

    assert machine.protections == [True]


def test_a_machine_that_a_worker_before_may_have_left_protected_is_freed_once(aws: FakeAws, clock: FakeTime) -> None:
    machine = Machine(aws, clock)

    machine.look(IDLE_LOOKS - 1)
    assert machine.protections == []
    machine.look(IDLE_LOOKS + 10)
    assert machine.protections == [False]
    machine.protection.unprotect()
    assert machine.protections == [False]


def test_it_is_protected_again_when_work_comes_again(aws: FakeAws, clock: FakeTime) -> None:
    machine = Machine(aws, clock)

    machine.look(2 * IDLE_LOOKS, busy={1, 2 * IDLE_LOOKS})

    assert machine.protections == [True, False, True]


def test_two_workers_of_a_machine_share_its_protection(aws: FakeAws, clock: FakeTime) -> None:
    one, other = Machine(aws, clock), Machine(aws, clock)
    one.look(1, busy={1})
    other.look(1, busy={1})

    one.protection.unprotect()
    assert aws.machines.protected == {"i-1": True}
    other.protection.unprotect()
    assert aws.machines.protected == {"i-1": False}


def test_a_worker_that_gives_up_its_part_holds_no_lock(aws: FakeAws, clock: FakeTime) -> None:
    one, other = Machine(aws, clock), Machine(aws, clock)
    one.look(1, busy={1})
    one.protection.unprotect()

    other.look(1, busy={1})
    other.protection.unprotect()

    assert one.protections == [True, False, True, False]


def test_a_rejected_call_is_reported_and_retried_only_after_a_while(
    aws: FakeAws, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    aws.machines.fail("set_instance_protection", client_error("AccessDenied"))
    machine = Machine(aws, clock)
    looks = int(RETRY_SECONDS / CHECK_SECONDS)

    with caplog.at_level(logging.WARNING):
        machine.look(looks, busy=set(range(1, looks + 1)))
        assert machine.protections == [True]
        machine.look(looks, busy=set(range(1, looks + 1)))

    assert machine.protections == [True, True]
    assert aws.machines.protected == {"i-1": True}
    assert caplog.text.count("not protected from scale-in") == 1
    assert "Could not protect i-1" in caplog.text


def test_after_a_rejected_call_the_other_worker_finds_the_lock_free(aws: FakeAws, clock: FakeTime) -> None:
    aws.machines.fail("set_instance_protection", client_error("AccessDenied"))
    one, other = Machine(aws, clock), Machine(aws, clock)
    one.look(1, busy={1})
    other.look(1, busy={1})

    other.protection.unprotect()

    assert aws.machines.protected == {"i-1": False}


def test_a_protection_that_stays_is_reported_and_its_lock_is_free(
    aws: FakeAws, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = Machine(aws, clock), Machine(aws, clock)
    aws.machines.fail("set_instance_protection", client_error("AccessDenied"))

    one.protection.unprotect()
    other.protection.unprotect()

    assert "scale-in protection could not be removed" in caplog.text
    assert "end the scale-in protection" in caplog.text
    assert aws.machines.protected == {"i-1": False}


def test_a_bug_is_no_rejection_of_awss(aws: FakeAws, clock: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "autoscaling", lambda: None)

    with pytest.raises(AttributeError):
        Machine(aws, clock).look(5, busy={1})


def test_its_file_is_nobody_elses_to_write(aws: FakeAws, clock: FakeTime, tmp_path: Path) -> None:
    Machine(aws, clock)

    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_workers_with_temporary_folders_of_their_own_share_the_lock_of_their_service(
    aws: FakeAws, clock: FakeTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    workers = []
    for name in ("numbers", "images"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
        workers.append(Machine(aws, clock))

    workers[0].look(1, busy={1})
    workers[1].protection.unprotect()

    assert workers[0].protections == [True]


def test_without_a_service_the_lock_is_where_nothing_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert lock_folder() == tmp_path / "courier"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lock_folder() == tmp_path / ".local/state/courier"
    assert lock_folder().is_dir()


def test_a_user_without_a_folder_has_the_lock_with_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "file/inner"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert lock_folder() == tmp_path
    assert "file/inner" in caplog.text
