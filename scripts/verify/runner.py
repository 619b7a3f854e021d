"""Run checks in their order: one that fails does not keep the others from running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from scripts.verify.account import Account

Figure = int | float | str | None


class Needs(Enum):
    """What a check needs to run, from the least to the most."""

    #: Any AWS: queues and a bucket.
    ANY = 0
    #: Instances, roles and groups, at least as records; moto has these.
    RECORDS = 1
    #: The real AWS.
    REAL = 2


class Status(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    LEFT_OUT = "left out"
    NOT_RUN = "not run"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check has found: a sentence, and figures for programs."""

    detail: str
    figures: Mapping[str, Figure] = field(default_factory=dict)


class CheckFailed(Exception):
    """The check ran, and what it proves does not hold."""

    def __init__(self, detail: str, figures: Mapping[str, Figure] | None = None) -> None:
        super().__init__(detail)
        self.figures = dict(figures or {})


class CannotRun(Exception):
    """This account or endpoint does not allow the check."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """An entry of the list."""

    name: str
    #: A statement that holds if the check passes.
    proves: str
    run: Callable[[Account], Finding]
    needs: Needs = Needs.REAL
    #: The checks that must have passed before.
    after: tuple[str, ...] = ()
    #: Whether it runs with --long only.
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a check, and how long it took."""

    check: Check
    status: Status
    detail: str
    seconds: float = 0.0
    figures: Mapping[str, Figure] = field(default_factory=dict)


def select(checks: Sequence[Check], only: Iterable[str], *, is_long: bool) -> list[Check]:
    """Return the checks to run: those named in `only`, with those that they need; all if there are none.

    Raises: ValueError for an unknown name.
    """
    known = {check.name: check for check in checks}
    wanted = list(only)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"There is no check {', '.join(unknown)}. Use: {', '.join(known)}")
    if not wanted:
        return [check for check in checks if is_long or not check.is_long]
    chosen: set[str] = set()
    while wanted:
        name = wanted.pop()
        chosen.add(name)
        wanted += [before for before in known[name].after if before not in chosen]
    return [check for check in checks if check.name in chosen]


def run_checks(checks: Iterable[Check], account: Account) -> Iterator[Result]:
    """Run the checks, and yield the result of each."""
    passed: set[str] = set()
    for check in checks:
        result = _run(check, account, passed)
        if result.status is Status.PASSED:
            passed.add(check.name)
        yield result


def not_run(checks: Sequence[Check], results: Sequence[Result]) -> list[Result]:
    """Return a result for each check that an interruption left without one."""
    there = {result.check.name for result in results}
    return [
        Result(check=check, status=Status.NOT_RUN, detail="interrupted") for check in checks if check.name not in there
    ]


def _run(check: Check, account: Account, passed: set[str]) -> Result:
    if check.needs.value > account.offers.value:
        what = "the real AWS" if check.needs is Needs.REAL else "an emulator with instances, or the real AWS"
        return Result(check=check, status=Status.LEFT_OUT, detail=f"needs {what}")
    if missing := [name for name in check.after if name not in passed]:
        return Result(check=check, status=Status.NOT_RUN, detail=f"{', '.join(missing)} did not pass")
    started = time.monotonic()
    status, detail, figures = _outcome(check, account)
    return Result(
        check=check, status=status, detail=detail, figures=figures, seconds=round(time.monotonic() - started, 1)
    )


def _outcome(check: Check, account: Account) -> tuple[Status, str, Mapping[str, Figure]]:
    try:
        found = check.run(account)
    except CannotRun as error:
        return Status.LEFT_OUT, str(error), {}
    except CheckFailed as error:
        return Status.FAILED, str(error), error.figures
    except Exception as error:  # noqa: BLE001  the other checks run all the same
        return Status.FAILED, f"{type(error).__name__}: {error}", {}
    return Status.PASSED, found.detail, found.figures
