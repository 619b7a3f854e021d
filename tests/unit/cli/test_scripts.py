"""Each command of the installed package runs its own program, and ends with its status."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator

import pytest

from courier import testing
from courier.cli import scripts
from courier.numbers.application import application
from courier.settings import load_settings
from tests.support.place import ROOT
from tests.support.signals import kept_signals

#: The commands, and a word of each one's help.
COMMANDS = {
    "numbers": "Client of the numbers application",
    "images": "Client of the images application",
    "watch": "--once",
    "numbers_worker": "Worker of the numbers application.",
    "images_worker": "Worker of the images application.",
}


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    with kept_signals():
        yield


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_shows_the_help_of_its_program(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])

    with pytest.raises(SystemExit) as raised:
        getattr(scripts, name)()

    assert raised.value.code == 0
    assert COMMANDS[name] in " ".join(capsys.readouterr().out.split())


def test_an_error_is_a_sentence_and_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["courier-numbers", "send", "1,x"])

    with testing.queues(application(load_settings({}))):
        assert scripts.numbers() == 1

    assert capsys.readouterr().err.startswith("courier-numbers: Item 2 ")


def test_every_entry_point_of_the_package_is_one_of_them() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert {target.removeprefix("courier.cli.scripts:") for target in found.values()} == set(COMMANDS)
