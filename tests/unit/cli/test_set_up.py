"""How `status` and `doctor` print rows; what the rows say is tested in tests/unit/monitoring."""

from __future__ import annotations

import json

import pytest

from courier.cli import output, set_up
from courier.monitoring.rows import Row

ROW = Row(kind="queue", name="requestQueue", state="missing", text="does not exist", fix="./aws_setup.sh up --name x")
LINE = f"WRONG  queue     {'requestQueue':<28} does not exist -> ./aws_setup.sh up --name x"


def test_a_row_is_wrapped_at_words_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up._show([ROW], as_json=False) == 1
    monkeypatch.setattr(output, "columns", lambda _: 60)
    set_up._show([ROW], as_json=False)
    set_up._show([ROW], as_json=True)
    set_up._warn("One sentence that is longer than the sixty columns which this terminal has.")

    said = capsys.readouterr()
    whole, first, second, row = said.out.splitlines()
    assert whole == LINE
    assert max(len(first), len(second)) <= 60
    assert second.startswith("       ")
    assert f"{first} {second.strip()}" == LINE
    assert json.loads(row)["fix"] == ROW.fix
    assert max(map(len, said.err.splitlines())) <= 60
