"""The documentation is true today: what it generates, what its commands print, and what it names."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from courier.images.operations import OPERATIONS
from scripts import docs
from tests.support import transcripts
from tests.support.messages import GOLDEN
from tests.support.place import ROOT, Place
from tests.support.shared import Shared
from tests.support.words import banned_in

README = ROOT / "README.md"
PAGES = docs.pages()
#: Pages whose console blocks are run. WRITE_TRANSCRIPTS=1 has what they print written into them.
EXECUTED = [README, *sorted((ROOT / "docs/tutorial").glob("*.md"))]


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.emulator  # pages have the usual names
@pytest.mark.parametrize("page", [page for page in EXECUTED if "```console" in page.read_text()], ids=shown)
def test_commands_print_what_the_page_shows(page: Path, place: Place, shared_servers: Shared) -> None:
    place.worker("numbers_worker.py")
    place.worker("images_worker.py")
    for queue in ("requestQueue", "imageInbox"):
        place.client("sqs").create_queue(QueueName=f"{queue}-dead")
    shell = transcripts.Shell(place, shared_servers.cli(), shared_servers.programs())

    wanted = transcripts.rewritten(page.read_text(), shell.run)

    if os.environ.get("WRITE_TRANSCRIPTS"):
        page.write_text(wanted)
    assert wanted.splitlines() == page.read_text().splitlines()


def test_generated_parts_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """Write them with `python -m scripts.docs`."""
    assert docs.main(["--check"]) == 0, capsys.readouterr().err


def test_a_part_that_is_out_of_date_is_found() -> None:
    page = "Before.\n<!-- generated: exit_statuses -->\nof yesterday\n<!-- end -->\nAfter.\n"

    wanted = docs.generated(page)

    assert "| 141 |" in wanted
    assert "of yesterday" not in wanted
    assert wanted.startswith("Before.\n")
    assert wanted.endswith("<!-- end -->\nAfter.\n")
    assert docs.generated(wanted) == wanted
    with pytest.raises(KeyError, match="unknown"):
        docs.generated("<!-- generated: unknown -->\n<!-- end -->\n")


def test_every_generated_part_stands_on_a_page() -> None:
    text = "".join(page.read_text() for page in PAGES)

    assert set(re.findall(r"<!-- generated: ([\w ]+) -->", text)) == set(docs.PARTS)
    assert text.count("<!-- generated: ") == text.count("<!-- end -->")


def test_the_readme_is_two_screens() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Those of the pages are checked by mkdocs."""
    for target, anchor in re.findall(r"\]\(([^)#:]+)(?:#([^)]+))?\)", README.read_text()):
        assert (ROOT / target).exists(), target
        headings = re.findall(r"^#+ (.*)$", (ROOT / target).read_text(), flags=re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings]


def test_every_file_that_a_page_names_is_there() -> None:
    folders = ("bench", "courier", "docs", "scripts", "setup", "tests")
    files = {path.name for path in [*ROOT.iterdir(), *(one for name in folders for one in (ROOT / name).rglob("*"))]}
    for page in PAGES:
        text = page.read_text()
        for name in re.findall(r"(?<![\w./<>~-])((?:[a-z_]+/)*[a-z_-]+\.(?:py|sh|json))\b", text):
            places = (ROOT / name, page.parent / name)
            assert any(map(Path.exists, places)) if "/" in name else name in files, (shown(page), name)
        for module in re.findall(r"python -m ((?:bench|tests|scripts)[.\w]*\w)", text):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), (shown(page), module)


def test_pages_have_one_word_for_one_thing() -> None:
    """Decisions keep the words of their time, and programs have their own."""
    pages = [page for page in PAGES if page.parent.name != "adr"]

    found = {shown(page): banned_in(_without_code(page.read_text())) for page in pages}

    assert {name: lines for name, lines in found.items() if lines} == {}


def _without_code(page: str) -> str:
    generated = re.sub(r"<!-- generated: .*?<!-- end -->", "", page, flags=re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", generated, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]+`|\]\([^)]*\)", "", prose)


def test_troubleshooting_quotes_messages_that_there_are() -> None:
    """Each as a part of one message, where … stands for anything."""
    cells = re.findall(r"^\| (`.+?`) \| ", (ROOT / "docs/how-to/troubleshooting.md").read_text(), flags=re.MULTILINE)
    quoted = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]

    assert len(quoted) >= 18
    shapes = {text: ".+".join(map(re.escape, text.strip("… ").split("…"))) for text in quoted}
    assert [text for text, shape in shapes.items() if not re.search(shape, GOLDEN.read_text())] == []


def test_permissions_name_every_call_on_iam_that_a_page_shows() -> None:
    """Other calls on pages need rights that every user of the programs has."""
    permissions = (ROOT / "docs/reference/permissions.md").read_text()
    calls = {call for page in PAGES for call in re.findall(r"\baws iam ([a-z-]+)", page.read_text())}

    actions = {call.title().replace("-", "") for call in calls}
    assert len(actions) > 5
    assert {action for action in actions if f"{action}`" not in permissions} == set()


@pytest.mark.parametrize("page", ["delivery-guarantees", "aws-claims"])
def test_every_promise_names_tests_that_there_are(page: str) -> None:
    text = (ROOT / f"docs/explanation/{page}.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(), flags=re.MULTILINE)
    }

    assert len(named) > 10
    assert named - written == set()
    assert [path for path in re.findall(r"`(tests/[\w/.]+)`", text) if not (ROOT / path).exists()] == []


def test_every_command_of_a_client_that_a_page_names_exists() -> None:
    helps = (ROOT / "docs/reference/programs.md").read_text()
    known = set(re.findall(r"^### (\w+)_client\.py ([a-z]+)$", helps, flags=re.MULTILINE))
    text = "".join(page.read_text() for page in PAGES)

    used = set(re.findall(r"(numbers|images)_client\.py ([a-z]+)\b", text))
    used |= set(re.findall(r"run_local\.sh (numbers|images) ([a-z]+)\b", text))
    used = {one for one in used if one[1] not in {"and", "with", "has", "check"}}

    assert len(known) == 21
    assert used <= known


def test_every_operation_has_its_image() -> None:
    assert all((ROOT / f"docs/operations/{name}.png").exists() for name in OPERATIONS)
