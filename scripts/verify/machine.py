"""Run commands as root on the instance, through SSH or through Session Manager's agent."""

from __future__ import annotations

import subprocess
from typing import Any

from scripts.verify.account import Account, wait_until

COMMAND_SECONDS = 60
ENDED = ("Success", "Failed", "Cancelled", "TimedOut")


class CommandFailed(Exception):
    """A command on the instance ended with an error, or could not be run."""


def the_instance(account: Account) -> dict[str, Any]:
    """Return the running instance. Raises: CommandFailed."""
    found = account.instances("running")
    if len(found) != 1:
        raise CommandFailed(f"{len(found)} instances are running, not one")
    return dict(found[0])


def on_instance(account: Account, command: str, *, by_ssh: bool | None = None) -> str:
    """Run a command of bash as root, and return what it prints. Raises: CommandFailed."""
    instance = the_instance(account)
    is_ssh = account.uses_ssh if by_ssh is None else by_ssh
    return _ssh(account, instance, command) if is_ssh else _agent(account, instance, command)


def _ssh(account: Account, instance: dict[str, Any], command: str) -> str:
    options = {
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "StrictHostKeyChecking": "accept-new",
        # A new address of the same instance is no other host.
        "HostKeyAlias": str(instance["InstanceId"]),
        "UserKnownHostsFile": str(account.folder / "known_hosts"),
    }
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["ssh", "-i", account.key, *given, f"ec2-user@{instance['PublicIpAddress']}", "sudo bash -s"],
        input=command,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"status {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout.strip()


def _agent(account: Account, instance: dict[str, Any], command: str) -> str:
    ssm = account.client("ssm")
    sent = ssm.send_command(
        InstanceIds=[instance["InstanceId"]],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": command.splitlines()},
        TimeoutSeconds=COMMAND_SECONDS,
    )["Command"]["CommandId"]

    def ended() -> dict[str, Any] | None:
        try:
            found = ssm.get_command_invocation(CommandId=sent, InstanceId=instance["InstanceId"])
        except ssm.exceptions.InvocationDoesNotExist:
            return None
        return dict(found) if found["Status"] in ENDED else None

    found = wait_until(ended, COMMAND_SECONDS, "the end of a command on the instance", pause=1)
    if found["Status"] != "Success":
        raise CommandFailed(f"{found['Status']}: {found['StandardErrorContent'].strip()[-300:]}")
    return str(found["StandardOutputContent"]).strip()
