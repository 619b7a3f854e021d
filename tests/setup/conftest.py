from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shared import Shared


@pytest.fixture(scope="session", autouse=True)
def cli(shared_servers: Shared) -> Iterator[Path]:
    """The folder of an AWS CLI that starts quickly; it stands first on PATH."""
    folder = shared_servers.cli()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield folder
