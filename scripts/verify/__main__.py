"""Prove on the real AWS what no emulator can: run a list of checks on a set-up of its own, and remove it.

On an emulator (AWS_ENDPOINT_URL) it runs as far as it can, and names what it leaves out.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import courier
from scripts.verify import lifecycle, report, storage
from scripts.verify.account import Account, new_name
from scripts.verify.checks import CHECKS
from scripts.verify.runner import Check, Result, Status, not_run, run_checks, select
from scripts.verify.verbs import VerbFailed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments, which aws_setup.sh passes on."""
    parser = argparse.ArgumentParser(prog="./aws_setup.sh verify", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", default="", help="name of the set-up (default: verify- and six characters)")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--type", help="instance type")
    parser.add_argument("--ssh-cidr", help="allow SSH from these addresses")
    parser.add_argument("--key", default="", help="private key file (default: one that goes with the run)")
    parser.add_argument("--no-ssh", action="store_true", help="reach the instance through Session Manager")
    parser.add_argument("--only", default="", help="run these checks, and those that they need")
    parser.add_argument("--long", action="store_true", help="add what takes an hour and a half")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout")
    parser.add_argument("--list", action="store_true", help="list the checks, and run none")
    return parser


def say(text: str) -> None:
    """Print progress, which is not the result. A terminal that has gone keeps nothing from being removed."""
    with suppress(OSError):
        print(report.redact(text), file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit status: 1 if one failed, or if something is left."""
    given = build_parser().parse_args(arguments)
    try:
        chosen = select(CHECKS, filter(None, given.only.split(",")), is_long=given.long)
    except ValueError as error:
        say(f"aws_setup.sh: {error}")
        return 2
    if given.list:
        print("\n".join(f"{check.name}: {check.proves}" for check in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="courier-verify-") as folder:
        try:
            account = account_of(given, Path(folder))
        except (BotoCoreError, ClientError) as error:
            say(f"aws_setup.sh: AWS cannot be used: {error}")
            return 4
        if (answer := confirmed(account, chosen, given)) is not True:
            say("Nothing was created.")
            return 2 if answer is None else 0
        return verify(account, chosen, given)


def account_of(given: argparse.Namespace, folder: Path) -> Account:
    """Return the account to run in. Raises: BotoCoreError, ClientError."""
    region = given.region or os.environ.get("AWS_REGION") or boto3.Session(profile_name=given.profile).region_name
    options = [word for name in ("type", "ssh_cidr") for word in _option(name, getattr(given, name))]
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint and not given.ssh_cidr:
        options += ["--ssh-cidr", "203.0.113.7/32"]  # nobody's: an emulator's instance has no SSH
    account = Account(
        name=given.name or new_name(),
        folder=folder,
        region=region or "us-east-1",
        endpoint=endpoint,
        options=options,
        profile=given.profile,
        uses_ssh=not given.no_ssh,
        given_key=str(Path(given.key).resolve()) if given.key else "",
        poll_seconds=int(os.environ.get("SETUP_VERIFY_POLL", "3600")),
        show=say,
    )
    account.adopt()
    say(f"account {account.id}, region {account.region}, {endpoint or 'the real AWS'}")
    return account


def _option(name: str, value: str | None) -> list[str]:
    return [f"--{name.replace('_', '-')}", value] if value else []


def confirmed(account: Account, chosen: Sequence[Check], given: argparse.Namespace) -> bool | None:
    """Say what will happen and what it costs, and ask; None if there is nobody to answer."""
    minutes = report.LONG_MINUTES if given.long else report.MINUTES
    if account.is_real:
        dollars = report.estimated_dollars(is_long=given.long)
        say(f"This creates the set-up {account.name}, runs {len(chosen)} checks in it, and removes it again.")
        say(f"It takes about {minutes} minutes and costs at most ${dollars:.2f}.")
    else:
        say(f"This runs {len(chosen)} checks in the set-up {account.name} on an emulator, as far as it can.")
    if given.yes:
        return True
    if not sys.stdin.isatty():
        say("There is no terminal to ask in. Add --yes to go on without a confirmation.")
        return None
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        say("")
        return False


def verify(account: Account, chosen: Sequence[Check], given: argparse.Namespace) -> int:
    """Run the checks, remove everything whatever happens, and show the result."""
    started = datetime.now(UTC)
    results: list[Result] = []
    is_whole = False
    removal = f"./aws_setup.sh down --name {account.name} --region {account.region} --yes"
    say(f"If this is killed: {' '.join(f'{name}={value}' for name, value in account.queues.items())} {removal}")
    try:
        with signals(signal.default_int_handler):
            storage.begin_token(account)
            for result in run_checks(chosen, account):
                results.append(result)
                say(f"{result.check.name}: {result.status.value}{', ' if result.detail else ''}{result.detail}")
            is_whole = True
    except KeyboardInterrupt:
        say("Interrupted.")
    finally:
        with signals(lambda *_: say("Still removing the set-up. It costs money as long as it exists.")):
            left = remove(account)
    results += not_run(chosen, results)
    run = {
        "version": courier.__version__,
        "aws": "real" if account.is_real else "emulator",
        "region": account.region,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "is_whole": is_whole,
    }
    show(account, results, report.json_lines(report.rows(results, run, left)), as_json=given.json)
    for what in left:
        say(f"LEFT: {what}")
    if left:
        say(f"Remove it: {removal}")
    if not is_whole:
        return INTERRUPTED
    return int(bool(left) or any(result.status is Status.FAILED for result in results))


def show(account: Account, results: Sequence[Result], lines: str, *, as_json: bool) -> None:
    """Print the result: the rows, or a table; then the rows are in a file."""
    if as_json:
        print(lines, end="")
        return
    print(report.table(results))
    file = Path(f"{account.name}.json")
    try:
        file.write_text(lines)
    except OSError as error:
        print(
            f"{report.summary(results)}. The file {file} cannot be written ({error}); the same as JSON:\n{lines}",
            end="",
        )
    else:
        print(f"{report.summary(results)}. For an issue, the same as JSON: {file}")


def remove(account: Account) -> list[str]:
    """Remove everything; return what is left, and why."""
    left: list[str] = []
    for what, step in (
        ("queues and role of the checks", account.remove_extras),
        ("the set-up", lambda: account.setup("down", "--yes")),
    ):
        try:
            step()
        except (BotoCoreError, ClientError, VerbFailed, OSError) as error:
            left.append(f"{what}: {error}")
    account.stop_workers()
    try:
        left += lifecycle.leftovers(account)
    except (BotoCoreError, ClientError, VerbFailed, OSError) as error:
        left.append(f"what is left cannot be read: {error}")
    return left


@contextmanager
def signals(handler: Callable[[int, FrameType | None], Any]) -> Any:  # noqa: ANN401  a context manager
    """Handle the signals that end a program by `handler` while the body runs."""
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


if __name__ == "__main__":
    sys.exit(main())
