from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from courier.images.preview import sample


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: four images, and one for results."""
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(sample())
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Standard input is a terminal; what types on it."""
    master, slave = os.openpty()
    with open(slave, encoding="utf-8") as stdin:  # noqa: PTH123  it is a descriptor
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda text: _type(master, text)
    os.close(master)


def _type(master: int, text: str) -> None:
    os.write(master, text.encode())
