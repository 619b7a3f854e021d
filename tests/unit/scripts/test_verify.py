"""The parts of `./aws_setup.sh verify` that need no AWS: selection, order, rows, and policies with a line less."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from scripts.verify import __main__, lifecycle, report, rights
from scripts.verify.account import Account
from scripts.verify.checks import CHECKS
from scripts.verify.runner import (
    CannotRun,
    Check,
    CheckFailed,
    Finding,
    Needs,
    Result,
    Status,
    not_run,
    run_checks,
    select,
)
from scripts.verify.verbs import Ended, VerbFailed
from tests.support.place import ROOT
from tests.support.rows import rows


class Records(Account):
    """An account on an emulator with instances."""

    offers = Needs.RECORDS


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Records(name="verify-1", folder=tmp_path, region="us-east-1", endpoint="http://127.0.0.1:1")


def check(name: str, run: Callable[[Account], Finding] | None = None, **about: Any) -> Check:
    given = {"needs": Needs.ANY, "run": run or (lambda _account: Finding(detail="fine", figures={"n": 1})), **about}
    return Check(name=name, proves=f"{name} works", **given)


def raising(error: Exception) -> Callable[[Account], Finding]:
    def run(_account: Account) -> Finding:
        raise error

    return run


def test_a_check_runs_only_where_it_can_and_after_what_it_needs(account: Account) -> None:
    checks = [
        check("good"),
        check("bad", raising(CheckFailed("it does not hold", {"n": 2}))),
        check("after-bad", after=("bad",)),
        check("after-good", after=("good",)),
        check("real", needs=Needs.REAL),
        check("records", needs=Needs.RECORDS),
        check("forbidden", raising(CannotRun("a lab makes no roles"))),
        check("broken", raising(KeyError("x"))),
    ]

    found = {result.check.name: (result.status, result.detail) for result in run_checks(checks, account)}

    assert found == {
        "good": (Status.PASSED, "fine"),
        "bad": (Status.FAILED, "it does not hold"),
        "after-bad": (Status.NOT_RUN, "bad did not pass"),
        "after-good": (Status.PASSED, "fine"),
        "real": (Status.LEFT_OUT, "needs the real AWS"),
        "records": (Status.PASSED, "fine"),
        "forbidden": (Status.LEFT_OUT, "a lab makes no roles"),
        "broken": (Status.FAILED, "KeyError: 'x'"),
    }


def test_what_a_check_needs_runs_with_it_and_unknown_names_are_listed() -> None:
    checks = [
        check("up"),
        check("other"),
        check("deploy", after=("up",)),
        check("last", after=("deploy",), is_long=True),
    ]

    assert [one.name for one in select(checks, ["last"], is_long=False)] == ["up", "deploy", "last"]
    assert [one.name for one in select(checks, [], is_long=False)] == ["up", "other", "deploy"]
    assert [one.name for one in select(checks, [], is_long=True)] == ["up", "other", "deploy", "last"]
    with pytest.raises(ValueError, match=r"There is no check nothing\. Use: up, other, deploy, last"):
        select(checks, ["nothing"], is_long=False)


def test_the_list_names_each_check_once_and_only_checks_that_come_before() -> None:
    names = [one.name for one in CHECKS]

    assert len(set(names)) == len(names)
    for place, one in enumerate(CHECKS):
        assert set(one.after) <= set(names[:place]), one.name


def test_an_interrupted_run_names_what_did_not_run() -> None:
    first, second = check("first"), check("second")

    (left,) = not_run([first, second], [Result(check=first, status=Status.PASSED, detail="")])

    assert (left.check, left.status, left.detail) == (second, Status.NOT_RUN, "interrupted")


def results() -> list[Result]:
    return [
        Result(
            check=check("up"),
            status=Status.PASSED,
            detail="at 203.0.113.7 of 123456789012",
            seconds=212.3,
            figures={"launch_to_answer_seconds": 151.2, "note": None},
        ),
        Result(check=check("reboot"), status=Status.LEFT_OUT, detail="needs the real AWS"),
    ]


def test_rows_fit_their_schema_and_tell_nothing_of_the_account() -> None:
    run = {
        "version": "0.3.0",
        "aws": "real",
        "region": "us-east-1",
        "started": "2026-11-29T12:00:00+00:00",
        "seconds": 1000.5,
        "is_whole": True,
    }

    text = report.json_lines(report.rows(results(), run, ["bucket lab-123456789012-us-east-1-an"]))

    found = rows(text, "aws-setup-verify")
    assert [row["kind"] for row in found] == ["run", "check", "check", "left"]
    assert found[1]["detail"] == "at ADDRESS of ACCOUNT"
    assert found[1]["figures"] == {"launch_to_answer_seconds": 151.2, "note": None}
    assert found[3]["what"] == "bucket lab-ACCOUNT-us-east-1-an"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("arn:aws:iam::123456789012:role/x", "arn:aws:iam::ACCOUNT:role/x"),
        ("ASIAQWERTYUIOPASDFGH expired", "KEY expired"),
        ("ssh 203.0.113.7/32, 10.0.0.1", "ssh ADDRESS, ADDRESS"),
        ("http://127.0.0.1:4566 and 0.0.0.0/0", "http://127.0.0.1:4566 and 0.0.0.0/0"),
        ("1234567890123 and 0.25 s of 1.2.3", "1234567890123 and 0.25 s of 1.2.3"),
    ],
)
def test_what_identifies_an_account_is_replaced(text: str, shown: str) -> None:
    assert report.redact(text) == shown


def test_the_table_has_a_line_for_each_check_and_fits_its_width() -> None:
    lines = report.table(results(), width=40).splitlines()

    assert lines[0] == "up      passed     212.3 s"
    assert "reboot  left out" in lines
    assert max(map(len, lines)) <= 40
    assert report.summary(results()) == "1 passed, 1 left out"


def test_a_run_costs_less_than_is_said() -> None:
    assert report.estimated_dollars(is_long=False) < 0.10
    assert report.estimated_dollars(is_long=True) < 0.20


def ended(*lines: str) -> Ended:
    return Ended(lines=[(float(number), line) for number, line in enumerate(lines)], status=0)


def test_changes_and_moments_are_read_from_what_up_prints() -> None:
    printed = ended(
        "+ aws ec2 run-instances --image-id x", "24 changes were made.", "proof: numbers responded after 3 s"
    )

    assert lifecycle.changes(printed) == 24
    assert printed.when("proof: numbers") - printed.when("ec2 run-instances") == 2
    assert ended("one", "aws_setup.sh: AWS said no", "two").error == "aws_setup.sh: AWS said no"
    assert (ended("one", "two").error, ended().error) == ("two", "")
    with pytest.raises(VerbFailed):
        printed.when("proof: images")
    with pytest.raises(CheckFailed):
        lifecycle.changes(ended("nothing"))


def test_what_is_left_is_what_exists(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [
        {"kind": "queue", "name": "verify-1-inbox", "state": "missing"},
        {"kind": "instance", "name": "i-1", "state": "terminated"},
        {"kind": "role", "name": "verify-1-worker", "state": "exists"},
        {"kind": "policy", "name": "verify-1-client", "state": "unknown"},
    ]
    queues = MagicMock()
    queues.list_queues.return_value = {"QueueUrls": ["https://sqs/1/verify-1-check-a"]}
    monkeypatch.setattr(Account, "states", lambda _self: states)
    monkeypatch.setattr(Account, "client", lambda _self, _service: queues)

    assert lifecycle.leftovers(account) == [
        "policy verify-1-client, which could not be read",
        "queue verify-1-check-a",
        "role verify-1-worker",
    ]


def test_changed_code_differs_and_has_all_that_deploy_packs(tmp_path: Path) -> None:
    copy = lifecycle.changed_copy(ROOT, tmp_path / "copy", "verify-1")

    assert (copy / "courier/__init__.py").read_text().endswith("# verify-1\n")
    for name in ("images_worker.py", "numbers_client.py", "setup/on_instance/bootstrap.sh", "requirements.lock"):
        assert (copy / name).read_bytes() == (ROOT / name).read_bytes()


STATEMENTS: list[rights.Statement] = [
    {"Sid": "A", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": ["q1", "q2"]},
    {"Sid": "B", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "bucket"},
]


def test_each_action_and_each_resource_is_taken_out_once() -> None:
    found = {mutant.what: mutant for mutant in rights.mutants(STATEMENTS)}

    assert list(found) == [
        "A without sqs:SendMessage",
        "A without sqs:GetQueueUrl",
        "A without q1",
        "A without q2",
        "B without s3:ListBucket",
        "B without bucket",
    ]
    assert found["A without q1"].statements == [{**STATEMENTS[0], "Resource": ["q2"]}, STATEMENTS[1]]
    assert found["A without q1"].lost == [("sqs:SendMessage", "q1"), ("sqs:GetQueueUrl", "q1")]
    assert found["A without sqs:SendMessage"].lost == [("sqs:SendMessage", "q1"), ("sqs:SendMessage", "q2")]
    assert found["B without bucket"].statements == [STATEMENTS[0]]


def policy(who: str) -> list[rights.Statement]:
    text = (ROOT / f"setup/policies/{who}.json").read_text()
    names = {"@QUEUES@": "arn:aws:sqs:us-east-1:123456789012:", "@BUCKET@": "verify-123456-123456789012-us-east-1-an"}
    for name, value in names.items():
        text = text.replace(name, value)
    return list(json.loads(text.replace("@NAME@", "verify-123456"))["Statement"])


@pytest.mark.parametrize("who", ["client", "worker"])
def test_there_is_a_call_for_each_line_of_a_policy_and_a_session_may_have_it(who: str) -> None:
    clients = MagicMock()
    pairs = [
        (action, resource)
        for one in policy(who)
        for action in rights.listed(one["Action"])
        for resource in rights.listed(one["Resource"])
    ]

    for action, resource in pairs:
        rights.call(clients, action, rights.concrete(resource, f"check-{who}"))

    assert len(clients.return_value.method_calls) == len(pairs)
    assert len(rights.session_policy(policy(who))) < rights.MAX_POLICY


def test_only_a_missing_permission_is_a_rejection() -> None:
    def failing(code: str) -> Callable[[], None]:
        return MagicMock(side_effect=ClientError({"Error": {"Code": code}}, "X"))

    assert rights.is_denied(failing("AccessDenied"))
    assert not rights.is_denied(failing("ReceiptHandleIsInvalid"))
    assert not rights.is_denied(lambda: None)


@pytest.fixture
def emptied(account: Account, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was called to remove the account."""
    calls: list[str] = []
    monkeypatch.setattr(Account, "setup", lambda _self, verb, *_options: calls.append(verb))
    monkeypatch.setattr(Account, "remove_extras", lambda _self: calls.append("extras"))
    monkeypatch.setattr(lifecycle, "leftovers", lambda _account: [])
    monkeypatch.chdir(account.folder)
    return calls


def arguments(*words: str) -> argparse.Namespace:
    return __main__.build_parser().parse_args(words)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_checks_and_removes_everything(
    account: Account, emptied: list[str], capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    def interrupted(_account: Account) -> Finding:
        os.kill(os.getpid(), number)
        time.sleep(60)
        raise AssertionError

    status = __main__.verify(account, [check("up", interrupted), check("after")], arguments("--json"))

    run, *checks = rows(capsys.readouterr().out, "aws-setup-verify")
    assert status == 130
    assert emptied == ["extras", "down"]
    assert run["is_whole"] is False
    assert [(row["status"], row["detail"]) for row in checks] == [("not run", "interrupted")] * 2


def test_signals_while_it_is_removed_do_not_end_the_removal(
    account: Account, emptied: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_self: Account, verb: str, *_options: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        emptied.append(verb)

    monkeypatch.setattr(Account, "setup", down)

    assert __main__.verify(account, [check("fine")], arguments("--json")) == 0
    assert emptied == ["extras", "down"]
    assert "Still removing the set-up" in capsys.readouterr().err


@pytest.mark.usefixtures("emptied")
def test_what_cannot_be_removed_is_named_with_the_command(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "setup", MagicMock(side_effect=VerbFailed("down ended with status 4: expired")))
    monkeypatch.setattr(lifecycle, "leftovers", lambda _account: ["role verify-1-worker"])

    status = __main__.verify(account, [check("fine")], arguments())

    shown = capsys.readouterr()
    assert status == 1
    assert "LEFT: the set-up: down ended with status 4: expired" in shown.err
    assert "LEFT: role verify-1-worker" in shown.err
    assert "Remove it: ./aws_setup.sh down --name verify-1 " in shown.err
    assert "fine works" in shown.out
    found = rows((account.folder / "verify-1.json").read_text(), "aws-setup-verify")
    assert [row["what"] for row in found if row["kind"] == "left"] == [
        "the set-up: down ended with status 4: expired",
        "role verify-1-worker",
    ]


def test_a_terminal_that_is_gone_does_not_end_the_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = MagicMock()
    gone.write.side_effect = OSError("Input/output error")
    monkeypatch.setattr("sys.stderr", gone)

    __main__.say("progress")

    assert gone.write.called


def test_a_failed_check_is_the_exit_status(account: Account, emptied: list[str]) -> None:
    failing = check("bad", raising(CheckFailed("no")))

    assert __main__.verify(account, [failing], arguments("--json")) == 1
    assert emptied == ["extras", "down"]


def test_price_and_minutes_are_said_before_anything_is_created(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.endpoint = None

    assert __main__.confirmed(account, CHECKS, arguments("--yes"))
    said = capsys.readouterr().err
    assert f"runs {len(CHECKS)} checks in it, and removes it again" in said
    assert re.search(r"about \d+ minutes and costs at most \$0\.0\d\.", said)


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt])
def test_ctrl_d_and_ctrl_c_at_the_question_mean_no(
    account: Account, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def ended(_: str) -> str:
        raise error

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ended)

    assert __main__.confirmed(account, CHECKS, arguments()) is False


def test_a_result_that_no_file_can_hold_is_printed(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{account.name}.json").mkdir()

    __main__.show(account, [], '{"kind": "run"}\n', as_json=False)

    assert capsys.readouterr().out.endswith('{"kind": "run"}\n')
