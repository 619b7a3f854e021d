"""The checks of the instance and of policies, with stand-ins for what only the real AWS has."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from scripts.verify import images, lifecycle, machine, machines, rights
from scripts.verify.account import Account
from scripts.verify.machine import CommandFailed
from scripts.verify.runner import CannotRun, CheckFailed
from scripts.verify.verbs import Ended, run_script
from tests.support.place import ROOT, wait_for
from tests.support.strictmoto import allows

CODE = "c" * 64


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account(name="verify-1", folder=tmp_path, region="us-east-1", endpoint=None)
    made.__dict__["caller"] = "arn:aws:iam::123456789012:user/me"
    instance = {"InstanceId": "i-1", "InstanceType": "t3.micro", "PublicIpAddress": "203.0.113.7"}
    monkeypatch.setattr(Account, "instances", lambda _self, *_states: [instance])
    monkeypatch.setattr(Account, "ask", lambda _self, *_arguments, **_options: 0.1)
    monkeypatch.setattr(images, "small_image", lambda _account: None)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return made


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Have commands on the instance print these texts in turn; return the commands."""
    left, commands = iter(answers), []

    def on_instance(_account: Account, command: str, **_options: object) -> str:
        commands.append(command)
        answer = next(left)
        if answer == "closed":
            raise CommandFailed("status 255: Connection closed")
        return answer

    for module in (machines, lifecycle):
        monkeypatch.setattr(module, "on_instance", on_instance)
    return commands


def test_tmux_is_back_only_when_both_servers_are_new(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = answering(monkeypatch, "10\n11", "", "10\n0", "10\n21", "20\n21")

    assert "both are back" in machines.killed_tmux(account).detail
    assert "kill -SEGV" in commands[1]
    assert len(commands) == 5


def test_a_reboot_is_over_when_the_boot_is_another_one(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = MagicMock()
    monkeypatch.setattr(Account, "client", lambda _self, _service: ec2)
    commands = answering(monkeypatch, "boot-1", "boot-1", "closed", "boot-2")

    assert "requests are answered" in machines.reboot(account).detail
    ec2.reboot_instances.assert_called_once_with(InstanceIds=["i-1"])
    assert len(commands) == 4


def test_both_workers_must_run_the_code_that_was_deployed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = MagicMock()
    s3.get_object.return_value = {"Body": io.BytesIO(f"{CODE}  deploy/courier-{CODE}.tar.gz\n".encode())}
    monkeypatch.setattr(Account, "client", lambda _self, _service: s3)
    old, new = "/opt/courier/releases/old", f"/opt/courier/releases/{CODE}"
    answering(monkeypatch, f"{old}\n{old}", f"{new}\n{old}", new, f"{new}\n{new}")

    assert lifecycle.taken_over(account).figures["answered_meanwhile"] == 4


def test_credits_that_must_be_paid_fail_the_check(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = MagicMock()
    monkeypatch.setattr(Account, "client", lambda _self, _service: ec2)
    ec2.describe_instance_credit_specifications.return_value = {
        "InstanceCreditSpecifications": [{"CpuCredits": "unlimited"}]
    }

    with pytest.raises(CheckFailed, match="its CPU credits are unlimited"):
        machines.credits_mode(account)


def test_commands_go_to_the_instance_as_root_and_their_errors_come_back(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = account.folder / "ssh"
    ssh.write_text('#!/bin/sh\necho "$*" | grep -q "ec2-user@203.0.113.7 sudo bash -s" && exec bash -s\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{account.folder}:{os.environ['PATH']}")

    assert machine.on_instance(account, "echo one; echo two") == "one\ntwo"
    with pytest.raises(CommandFailed, match="status 3: no"):
        machine.on_instance(account, "echo no >&2; exit 3")


def test_session_managers_commands_are_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = MagicMock()
    ssm.exceptions.InvocationDoesNotExist = KeyError
    ended = {"Status": "Success", "StandardOutputContent": "root\n"}
    ssm.get_command_invocation.side_effect = [KeyError, {"Status": "InProgress"}, ended]
    monkeypatch.setattr(Account, "client", lambda _self, _service: ssm)

    assert machine.on_instance(account, "id -un", by_ssh=False) == "root"
    ssm.get_command_invocation.side_effect = [{"Status": "Failed", "StandardErrorContent": "not found"}]
    with pytest.raises(CommandFailed, match="Failed: not found"):
        machine.on_instance(account, "x", by_ssh=False)


def image_row(reason: str | None, error: str | None = None) -> dict[str, Any]:
    return {"operations": "blur=5", "reason": reason, "error": error}


def test_an_image_may_be_too_much_for_a_machine_but_not_for_its_worker(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "on_instance", lambda _account, _command: "905")

    found = images.judged(account, [image_row("out_of_memory", "Too little memory.")], images.EXCUSED, 7)

    assert found.figures == {"seconds": 7, "memory_megabytes": 905, "out_of_memory": 1}
    with pytest.raises(CheckFailed, match="It broke down"):
        images.judged(account, [image_row("crashed", "It broke down.")], images.EXCUSED, 7)
    with pytest.raises(CheckFailed, match="No response"):
        images.judged(account, [image_row(None, "No response.")], images.EXCUSED_WHEN_KILLED, 7)
    monkeypatch.setattr(images, "small_image", lambda _account: "gone")
    with pytest.raises(CheckFailed, match="afterwards, a small image failed: gone"):
        images.judged(account, [image_row(None)], images.EXCUSED, 7)


def test_a_verb_that_is_interrupted_ends_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"trap 'exit 1' TERM; sleep 300 & echo $$ $! >{pids}; echo begun; wait"

    def show(line: str) -> None:
        assert line == "  begun"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_script(["bash", "-c", script], os.environ, show)

    started = [int(pid) for pid in pids.read_text().split()]
    wait_for(lambda: not any(map(is_running, started)), what="the end of both processes")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[rights.Statement]:
    """Statements that are added to those of each session, all of which decide the calls as AWS does."""
    added: list[rights.Statement] = []

    def call(statements: list[rights.Statement], action: str, resource: str) -> None:
        allowed = allows([*statements, *added], action, resource)
        raise ClientError({"Error": {"Code": "ReceiptHandleIsInvalid" if allowed else "AccessDenied"}}, action)

    def policy(_self: Account, _verb: str, who: str) -> Ended:
        text = (ROOT / f"setup/policies/{who}.json").read_text()
        for name in ("REQUEST_QUEUE", "RESPONSE_QUEUE", "IMAGE_INBOX", "IMAGE_OUTBOX", "NAME", "BUCKET"):
            text = text.replace(f"@{name}@", name.lower().replace("_", ""))
        text = text.replace("@QUEUES@", "arn:aws:sqs:us-east-1:1:").replace("@PARTITION@", "aws")
        return Ended(lines=[(0.0, line) for line in text.splitlines()], status=0)

    monkeypatch.setattr(Account, "setup", policy)
    monkeypatch.setattr(Account, "client", lambda _self, _service: MagicMock())
    monkeypatch.setattr(rights, "call", call)
    monkeypatch.setattr(rights, "_make_role", lambda _account: None)
    monkeypatch.setattr(rights, "_clients", lambda _account, statements: statements)
    return added


@pytest.mark.parametrize("who", ["client", "worker"])
def test_each_line_of_a_policy_is_noticed_when_it_is_taken_out(
    account: Account, decided: list[rights.Statement], who: str
) -> None:
    found = rights.policy_check(account, who)

    assert 20 < int(found.figures["allowed"] or 0) < int(found.figures["rejected"] or 0)
    decided.append({"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "*"})
    with pytest.raises(CheckFailed, match=r"still allowed: .* without sqs:GetQueueUrl"):
        rights.policy_check(account, who)
    decided[0] = {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}
    with pytest.raises(CheckFailed, match="the whole policy rejects s3:ListBucket"):
        rights.policy_check(account, who)


def test_who_may_make_no_role_leaves_the_policies_out(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = MagicMock()
    iam.exceptions.EntityAlreadyExistsException = KeyError
    iam.create_role.side_effect = ClientError({"Error": {"Code": "AccessDenied"}}, "CreateRole")
    monkeypatch.setattr(Account, "client", lambda _self, _service: iam)

    with pytest.raises(CannotRun, match="may not make a role: AccessDenied"):
        rights._make_role(account)
    account.__dict__["caller"] = "arn:aws:iam::123456789012:root"
    with pytest.raises(CannotRun, match="root user"):
        rights._make_role(account)
    assert json.loads(iam.create_role.call_args.kwargs["AssumeRolePolicyDocument"])["Statement"][0]["Principal"] == {
        "AWS": "123456789012"
    }


def test_images_at_once_are_timed_to_the_end_of_the_last(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 107.5])
    run = MagicMock()
    run.communicate.return_value = (json.dumps(image_row(None)) + "\n", "")
    monkeypatch.setattr(images, "begin", lambda *_arguments: run)
    monkeypatch.setattr(images, "image", lambda *_arguments: None)
    monkeypatch.setattr(images, "on_instance", lambda _account, _command: "905")
    monkeypatch.setattr("scripts.verify.images.time", MagicMock(monotonic=lambda: next(now)))

    assert images.demanding_two(account).figures["seconds"] == 7.5
    assert run.communicate.call_count == 2
