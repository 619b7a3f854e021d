"""A client is named as the person before the terminal would start it."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.cli import bootstrap
from courier.cli.client_command import LOCAL_VARIABLE, client_command, is_local, shown_program


@pytest.mark.parametrize("name", ["numbers", "images"])
def test_it_depends_on_who_started_this_program_and_where_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LOCAL_VARIABLE, "/x/.local")
    assert (client_command(name), shown_program(name)) == (f"./run_local.sh {name}",) * 2

    monkeypatch.setenv(LOCAL_VARIABLE, "")
    assert (client_command(name), shown_program(name)) == (f"python {name}_client.py", None)

    monkeypatch.setattr(bootstrap, "FOLDER", tmp_path)  # as where it is installed
    assert (client_command(name), shown_program(name)) == (f"courier-{name}", None)


def test_nobody_else_starts_it_locally(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOCAL_VARIABLE, raising=False)

    assert not is_local()
