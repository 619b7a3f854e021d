from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.quickcli import quick_cli


@pytest.fixture(scope="session", autouse=True)
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an AWS CLI that starts quickly; it stands first on PATH."""
    with quick_cli(tmp_path_factory.mktemp("cli")) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield folder
