"""The commands of the images client over a bucket in memory, with a screen."""

from __future__ import annotations

from courier.cli.failures import Failures
from courier.cli.images_commands import ImageCommands
from courier.errors import CourierError
from tests.support.fakes import FakeAws
from tests.support.screens import Screen
from tests.support.transfers import LocalTransfer


def made_transfer(kind: type[LocalTransfer] = LocalTransfer, **errors: CourierError) -> LocalTransfer:
    """Return a transfer where work on some images fails, by their names without the ending."""
    aws = FakeAws()
    aws.objects.create_bucket(Bucket="bucket")
    transfer = kind(aws)
    transfer.errors = {f"{stem}.png": error for stem, error in errors.items()}
    return transfer


def commands_for(
    transfer: LocalTransfer, *typed: str, as_json: bool = False, is_terminal: bool = False
) -> tuple[ImageCommands, Screen]:
    """Return commands, and the screen on which they are given and show results."""
    screen = Screen(*typed, is_terminal=is_terminal)
    failures = Failures(screen.terminal.complain, screen.terminal.row if as_json else None)
    return ImageCommands(transfer, screen.terminal, failures, as_json=as_json), screen
