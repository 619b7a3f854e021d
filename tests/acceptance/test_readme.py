"""The README tells the truth of today."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bench import awkward
from courier.images import formats, pipeline
from courier.images.operations import OPERATIONS
from scripts import docs
from tests.support.place import ROOT, Place

README = (ROOT / "README.md").read_text()


def transcript() -> list[tuple[str, str]]:
    """Return (command, what it printed) of every console block."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE)
    ]


def plain(text: str) -> str:
    """Leave out what differs from run to run: times, and spaces at line endings."""
    return re.sub(r"[ \t]+$", "", re.sub(r"in \d+\.\d{3} s", "in N s", text), flags=re.MULTILINE)


def test_the_first_run_prints_what_the_readme_shows(place: Place) -> None:
    place.worker("numbers_worker.py")
    place.worker("images_worker.py")

    shown = transcript()
    assert len(shown) >= 5
    for command, output in shown:
        program, application, *arguments = shlex.split(command)
        assert program == "./run_local.sh"
        done = place.run(f"{application}_client.py", *arguments)
        assert plain(done.stdout + done.stderr) == plain(output), command


def test_tables_that_the_code_knows_best_are_as_it_makes_them() -> None:
    assert docs.renewed(README) == README, "Run: python -m scripts.docs"


def test_a_stale_table_is_told_by_the_status_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docs, "README", tmp_path / "README.md")
    docs.README.write_text(README.replace("| 0 | answered", "| 0 | asked"))

    assert (docs.main(["--check"]), docs.main([]), docs.main(["--check"])) == (1, 0, 0)
    assert docs.README.read_text() == README


def test_a_table_that_has_no_place_is_missed() -> None:
    with pytest.raises(ValueError, match="settings"):
        docs.renewed(README.replace("<!-- settings:", "<!-- "))


@pytest.mark.parametrize(("program", "count"), [("numbers_client.py", 9), ("images_client.py", 10)])
def test_every_command_stands_in_the_readme_and_exists(place: Place, program: str, count: int) -> None:
    helped = place.run(program, "--help").stdout
    commands = set(re.findall(r"^    ([a-z]+)  ", helped, flags=re.MULTILINE))

    assert len(commands) == count
    for command in commands:
        assert re.search(rf"`(?:{program} )?{command}[ `]", README), command
    assert set(re.findall(rf"`{program} ([a-z]+)", README)) <= commands


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in set(re.findall(r"\b(?:[a-z_]+/)*[a-z_-]+\.(?:py|sh|txt|json|md)\b", README)):
        assert (ROOT / name).exists(), name
    for module in re.findall(r"python -m ((?:bench|tests|scripts)[.\w]*\w)", README):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


def test_every_promise_names_tests_that_there_are() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE)
    }

    assert len(named) > 10
    assert named <= written


def test_operations_formats_and_limits_are_those_of_the_code() -> None:
    assert all(f"`{name}" in README for name in [*OPERATIONS, *pipeline.PRESETS])
    assert all(name in README.upper() for name in formats.FORMATS)
    assert "up to 50 MB and 50 million pixels" in README


def test_every_operation_has_its_picture_and_every_preset_its_words() -> None:
    assert all((ROOT / f"docs/operations/{name}.png").exists() for name in OPERATIONS)
    assert all(f"`{text}`" in README for text in pipeline.PRESETS.values())


def test_the_table_of_awkward_lists_has_our_answers_of_today() -> None:
    shown = re.findall(r"^\| `(.*)` \| (\w+) \| (.*?) \|", README, flags=re.MULTILINE)

    ours = [(row[0].strip("`"), row[1], row[2]) for row in awkward.rows(["Courier"])]
    assert [row for row in shown if row in ours] == ours
    assert len(ours) == 10
