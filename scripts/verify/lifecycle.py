"""Checks of aws_setup.sh: up, up again, --no-ssh, deploy, down and at once up, and that nothing is left."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from scripts.verify.account import Account, wait_until
from scripts.verify.machine import on_instance, the_instance
from scripts.verify.runner import CheckFailed, Finding
from scripts.verify.verbs import Ended

#: What deploy packs, and what runs it.
DEPLOYED = ("courier", "setup", "aws_setup.sh", "create-queue.json", "requirements.lock", "requirements.txt")
DEPLOY_SECONDS = 300
AGENT_SECONDS = 600
AT_ONCE_SECONDS = 5.0
CHANGES = re.compile(r"(\d+) changes were made")


def up(account: Account) -> Finding:
    """Create everything, and measure the time from the launch to the first answer."""
    account.start_workers()
    started = time.monotonic()
    ended = account.setup("up")
    figures = {"up_seconds": round(time.monotonic() - started, 1), "changes": changes(ended)}
    if not account.offers.value:
        account.ask()
        return Finding(detail="queues and bucket are there, and a worker here answers", figures=figures)
    launched, answered = ended.when("ec2 run-instances"), ended.when("proof: numbers")
    figures["launch_to_answer_seconds"] = round(answered - launched, 1)
    figures["instance_type"] = the_instance(account)["InstanceType"]
    detail = f"{answered - launched:.0f} s from the launch to the first answer"
    return Finding(detail=detail if account.is_real else f"{detail}, of a worker here", figures=figures)


def up_again(account: Account) -> Finding:
    """Run up a second time."""
    started = time.monotonic()
    made = changes(account.setup("up"))
    figures = {"changes": made, "up_seconds": round(time.monotonic() - started, 1)}
    if made:
        raise CheckFailed(f"it made {made} changes", figures)
    return Finding(detail="0 changes", figures=figures)


def changes(ended: Ended) -> int:
    """Return the number of changes that up says it has made. Raises: CheckFailed."""
    found = CHANGES.search(ended.text)
    if found is None:
        raise CheckFailed("up did not say how many changes it made")
    return int(found[1])


def no_ssh(account: Account) -> Finding:
    """Close SSH on a set-up that was made with it."""
    account.setup("up", *(["--no-ssh"] if account.uses_ssh else []), SETUP_PROOF="0")
    group = account.client("ec2").describe_security_groups(Filters=[{"Name": "tag:courier", "Values": [account.name]}])
    rules = [rule for one in group["SecurityGroups"] for rule in one["IpPermissions"]]
    if rules:
        raise CheckFailed(f"the security group still has {len(rules)} rules that let others in")
    if account.is_real and _is_open(the_instance(account)["PublicIpAddress"]):
        raise CheckFailed("port 22 still answers")
    return Finding(detail="no rule lets anybody in" + (", and port 22 does not answer" if account.is_real else ""))


def _is_open(address: str) -> bool:
    try:
        socket.create_connection((address, 22), timeout=5).close()
    except OSError:
        return False
    return True


def session_manager(account: Account) -> Finding:
    """Run a command through the agent of Session Manager."""
    ssm = account.client("ssm")
    started = time.monotonic()

    def is_online() -> bool:
        known = [{"Key": "InstanceIds", "Values": [the_instance(account)["InstanceId"]]}]
        found = ssm.describe_instance_information(Filters=known)["InstanceInformationList"]
        return any(one["PingStatus"] == "Online" for one in found)

    wait_until(is_online, AGENT_SECONDS, "the agent of Session Manager", pause=5)
    seconds = time.monotonic() - started
    who = on_instance(account, "id -un", by_ssh=False)
    return Finding(
        detail=f"the agent is online after {seconds:.0f} s, and ran a command as {who}",
        figures={"agent_seconds": round(seconds, 1)},
    )


def deploy(account: Account) -> Finding:
    """Deploy code that differs from this folder's by a comment; the bucket must name and hold it."""
    changed = changed_copy(account.root, account.folder / "changed", account.name)
    account.setup("deploy", root=changed)
    s3, bucket = account.client("s3"), account.bucket
    named, key = s3.get_object(Bucket=bucket, Key="deploy/current")["Body"].read().decode().split()
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if hashlib.sha256(content).hexdigest() != named:
        raise CheckFailed("the code in the bucket is not what deploy/current names")
    return Finding(detail=f"deploy/current names code {named[:12]}, and its SHA-256 is right", figures={"code": named})


def changed_copy(root: Path, target: Path, comment: str) -> Path:
    """Copy what deploy needs, changed by a comment, and return the copy."""
    target.mkdir()
    for name in (*DEPLOYED, *(path.name for path in (*root.glob("*_client.py"), *root.glob("*_worker.py")))):
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    with (target / "courier/__init__.py").open("a") as file:
        file.write(f"# {comment}\n")
    return target


def taken_over(account: Account) -> Finding:
    """Wait until both workers run the code that was deployed, while requests go on to be answered."""
    named = account.client("s3").get_object(Bucket=account.bucket, Key="deploy/current")["Body"].read().decode()[:64]
    started = time.monotonic()
    answered, folders = 0, [""]
    # Between two workers there is none for a moment.
    process = '$(pgrep -o -u courier -f "bin/python ${one}_worker.py")'
    look = f"for one in numbers images; do readlink /proc/{process}/cwd || true; done"
    while time.monotonic() - started < DEPLOY_SECONDS:
        account.ask()
        answered += 1
        folders = on_instance(account, look).split()
        if len(folders) == 2 and all(named in folder for folder in folders):  # noqa: PLR2004  two workers
            seconds = time.monotonic() - started
            figures: dict[str, Any] = {"seconds": round(seconds, 1), "answered_meanwhile": answered}
            detail = f"both run it after {seconds:.0f} s; {answered} requests were answered in the meantime"
            return Finding(detail=detail, figures=figures)
        time.sleep(2)
    raise CheckFailed(f"after {DEPLOY_SECONDS} s the workers run {', '.join(folders)}")


def down_and_up(account: Account) -> Finding:
    """Remove everything, and at once create it again under the same names."""
    account.setup("down", "--yes")
    removed = time.monotonic()
    ended = account.setup("up", SETUP_PROOF="0")
    gap, seconds = ended.lines[0][0] - removed, time.monotonic() - removed
    figures = {"gap_seconds": round(gap, 1), "up_seconds": round(seconds, 1), "changes": changes(ended)}
    if gap > AT_ONCE_SECONDS:
        raise CheckFailed(f"up began only {gap:.0f} s after down", figures)
    waited = "Waiting, up to" in ended.text
    return Finding(
        detail=f"up began after {gap:.1f} s and ended well after {seconds:.0f} s{', having waited' * waited}",
        figures=figures,
    )


def leftovers(account: Account) -> list[str]:
    """Return what is left after down."""
    left = [_described(row) for row in account.states() if _is_left(row)]
    names = account.client("sqs").list_queues(QueueNamePrefix=f"{account.name}-", MaxResults=100)
    left += [f"queue {url.rpartition('/')[2]}" for url in names.get("QueueUrls", [])]
    return sorted(set(left))


def _described(row: dict[str, Any]) -> str:
    unknown = ", which could not be read" if row["state"] == "unknown" else ""
    return f"{row['kind']} {row['name']}{unknown}"


def _is_left(row: dict[str, Any]) -> bool:
    return "name" in row and row["state"] not in ("missing", "shutting-down", "terminated")
