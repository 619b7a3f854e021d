"""The command line that starts a client, as the person before the terminal would type it."""

from __future__ import annotations

import os
from pathlib import Path

from courier.cli import bootstrap

#: Set by run_local.sh for what it starts: its folder .local.
LOCAL_VARIABLE = "SETUP_LOCAL"


def client_command(name: str) -> str:
    """Return the command line of the client of the application `name`."""
    if is_local():
        return f"./run_local.sh {name}"
    if Path(bootstrap.FOLDER, f"{name}_client.py").exists():
        return f"python {name}_client.py"
    return f"courier-{name}"


def shown_program(name: str) -> str | None:
    """Return the name of that client's program for its help and errors; None: that by which it was started."""
    return client_command(name) if is_local() else None


def is_local() -> bool:
    """Whether run_local.sh started this program."""
    return bool(os.environ.get(LOCAL_VARIABLE))
