"""Checks of the instance: what systemd brings back, and CPU credits."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from scripts.verify.account import Account, wait_until
from scripts.verify.images import until_both_answer
from scripts.verify.machine import CommandFailed, on_instance, the_instance
from scripts.verify.runner import CannotRun, CheckFailed, Figure, Finding

BACK_SECONDS = 300
METRIC_SECONDS = 600
APPLICATIONS = ("numbers", "images")


def killed_tmux(account: Account) -> Finding:
    """Crash the tmux server of each worker."""
    before = _servers(account)
    on_instance(account, "for one in numbers images; do kill -SEGV $(cat /run/courier/$one.pid); done")
    started = time.monotonic()
    wait_until(lambda: _are_new(account, before), BACK_SECONDS, "new tmux servers", pause=1)
    until_both_answer(account, BACK_SECONDS)
    seconds = time.monotonic() - started
    return Finding(detail=f"both are back, and answer after {seconds:.0f} s", figures={"seconds": round(seconds, 1)})


def _servers(account: Account) -> list[str]:
    return on_instance(account, "cat /run/courier/numbers.pid /run/courier/images.pid").split()


def _are_new(account: Account, before: list[str]) -> bool:
    found = "for one in numbers images; do systemctl show --value -p MainPID courier-worker@$one; done"
    now = on_instance(account, found).split()
    return len(now) == len(APPLICATIONS) and "0" not in now and not set(now) & set(before)


def reboot(account: Account) -> Finding:
    """Reboot the instance through EC2."""
    boot = _boot(account)

    def begin() -> None:
        account.client("ec2").reboot_instances(InstanceIds=[the_instance(account)["InstanceId"]])

    return _comes_back(account, begin, lambda: _boot(account) not in ("", boot))


def _boot(account: Account) -> str:
    """Return what is another after each boot; nothing while the instance cannot be reached."""
    with contextlib.suppress(CommandFailed, ClientError, OSError, subprocess.TimeoutExpired):
        return on_instance(account, "cat /proc/sys/kernel/random/boot_id")
    return ""


def _comes_back(account: Account, begin: Callable[[], Any], is_new: Callable[[], bool]) -> Finding:
    begin()
    started = time.monotonic()
    wait_until(is_new, BACK_SECONDS, "the instance", pause=3)
    until_both_answer(account, BACK_SECONDS)
    seconds = time.monotonic() - started
    return Finding(detail=f"requests are answered after {seconds:.0f} s", figures={"seconds": round(seconds, 1)})


def stop_and_start(account: Account) -> Finding:
    """Stop the instance, start it again, and measure the time to an answer."""
    started = time.monotonic()
    account.setup("stop")
    wait_until(lambda: account.instances("stopped"), BACK_SECONDS, "the instance's stop", pause=3)
    stopped = time.monotonic() - started
    found = _comes_back(account, lambda: account.setup("start"), lambda: bool(account.instances("running")))
    figures: dict[str, Figure] = {**found.figures, "stop_seconds": round(stopped, 1)}
    return Finding(detail=f"stopped after {stopped:.0f} s; after the start {found.detail}", figures=figures)


def credits_mode(account: Account) -> Finding:
    """Ask whether the instance may still use CPU credits that must be paid."""
    instance = the_instance(account)
    found = account.client("ec2").describe_instance_credit_specifications(InstanceIds=[instance["InstanceId"]])
    modes = [one["CpuCredits"] for one in found["InstanceCreditSpecifications"]]
    if any(mode != "standard" for mode in modes):
        raise CheckFailed(f"its CPU credits are {', '.join(modes)}")
    return Finding(detail=f"{instance['InstanceType']}: {', '.join(modes) or 'has none'}")


def credit_balance(account: Account) -> Finding:
    """Read the balance of CPU credits, and what was used beyond it."""
    instance = the_instance(account)
    if not instance["InstanceType"].startswith("t"):
        raise CannotRun(f"a {instance['InstanceType']} has no CPU credits")
    figures: dict[str, Figure] = {}
    for metric in ("CPUCreditBalance", "CPUSurplusCreditBalance", "CPUSurplusCreditsCharged"):
        points = _points(account, instance["InstanceId"], metric)
        figures[metric] = round(points[-1], 3) if points else None
    if figures["CPUCreditBalance"] is None:
        raise CheckFailed(f"CloudWatch knew no balance within {METRIC_SECONDS} s", figures)
    charged = figures["CPUSurplusCreditsCharged"]
    return Finding(detail=f"{figures['CPUCreditBalance']} credits, {charged or 0} charged", figures=figures)


def _points(account: Account, instance_id: str, metric: str) -> list[float]:
    """Return the values of a metric by time; of the balance, wait for the first."""
    watch = account.client("cloudwatch")

    def read() -> list[float]:
        now = datetime.now(UTC)
        found = watch.get_metric_statistics(
            Namespace="AWS/EC2",
            MetricName=metric,
            Dimensions=[{"Name": "InstanceId", "Value": instance_id}],
            StartTime=now - timedelta(hours=3),
            EndTime=now,
            Period=300,
            Statistics=["Average"],
        )["Datapoints"]
        return [point["Average"] for point in sorted(found, key=lambda point: point["Timestamp"])]

    if metric != "CPUCreditBalance":
        return read()
    with contextlib.suppress(TimeoutError):
        return list(wait_until(read, METRIC_SECONDS, metric, pause=20))
    return []
