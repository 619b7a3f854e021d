"""What a folder of results lets be saved in it; what runs make of that is in test_batch.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.errors import WrongUsage
from courier.images.destination import make_folder


def test_a_folder_is_created_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b")
    make_folder(tmp_path / "a/b")

    assert (tmp_path / "a/b").is_dir()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_what_cannot_be_a_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WrongUsage) as raised:
        make_folder(tmp_path / name)

    assert "--to" in raised.value.hint
