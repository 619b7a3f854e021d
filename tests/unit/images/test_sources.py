"""Which files a batch means, and which are skipped and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from courier.errors import WrongUsage
from courier.images.formats import FORMATS, HEIF
from courier.images.results import INDEX, Made, ResultIndex
from courier.images.sources import Sources, find_sources
from tests.support.place import as_nobody, needs_root


@pytest.fixture(autouse=True)
def _without_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where pillow-heif is not installed; tests/unit/images/test_heif.py has the rest."""
    monkeypatch.delitem(FORMATS, HEIF.name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1")


def result(folder: Path, name: str, source: str) -> None:
    files(folder, name)
    made = Made(result=name, digest="", source=source, source_digest="", operations="flip")
    with ResultIndex(folder).changing() as add:
        add(made)


def found(*paths: str, recursive: bool = False) -> list[str]:
    return [source.path for source in find_sources(paths, recursive=recursive).found]


def test_a_folder_is_the_images_in_it(folder: Path) -> None:
    files(folder, "b.png", "a.JPG", "c.txt", ".hidden.png", "._a.JPG")
    (folder / "folder.png").mkdir()

    assert found("in") == ["in/a.JPG", "in/b.png"]


@pytest.mark.parametrize("ending", ["jfif", "jpe", "apng", "JPG", "dib", "avifs", "MPO"])
def test_every_ending_of_a_format_that_is_read_is_taken(folder: Path, ending: str) -> None:
    files(folder, f"a.{ending}")

    assert found("in") == [f"in/a.{ending}"]


def test_a_pattern_is_what_it_matches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(folder, "b.png", "a.png", "c.jpg", ".d.png")
    (folder / "d.png").mkdir()
    monkeypatch.chdir(folder)

    assert found("*.png") == ["a.png", "b.png"]
    assert found(str(folder / "?.jpg")) == [str(folder / "c.jpg")]
    assert found("[bc].*") == ["b.png", "c.jpg"]
    assert found(".*.png") == [".d.png"]


def test_a_pattern_matches_letters_of_either_case(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(folder, "a.JPG", "b.jpg", "Über.jpeg")
    monkeypatch.chdir(folder)

    assert found("*.jpg") == ["a.JPG", "b.jpg"]
    assert found("ü*.JPEG") == ["Über.jpeg"]
    assert found("[ab].Jpg") == ["a.JPG", "b.jpg"]
    with pytest.raises(WrongUsage):
        found("[AB].jpg")


def test_a_file_is_itself_even_if_its_name_looks_like_a_pattern_or_it_is_not_there(folder: Path) -> None:
    files(folder, "a[1].png")

    assert found("in/a[1].png", "in/none.png") == ["in/a[1].png", "in/none.png"]


def test_what_is_meant_twice_is_done_once(folder: Path) -> None:
    files(folder, "a.png")

    assert found("in/a.png", "in", "in/*.png", str(folder / "a.png"), "./in/../in/a.png") == ["in/a.png"]


@pytest.mark.parametrize("pattern", ["in/*.png", "in", "in/**x"])
def test_what_means_nothing_is_said(folder: Path, pattern: str) -> None:
    files(folder, "a.heic")

    with pytest.raises(WrongUsage) as raised:
        find_sources([pattern])

    assert pattern in raised.value.message
    assert raised.value.hint


def test_subfolders_are_taken_with_recursive_and_keep_their_places(folder: Path) -> None:
    files(folder, "a.png", "x/b.png", "x/y/c.png", ".git/d.png")
    (folder / "loop").symlink_to(folder)

    sources = find_sources(["in"], recursive=True).found

    assert [(one.path, str(one.subfolder)) for one in sources] == [
        ("in/a.png", "."),
        ("in/x/b.png", "x"),
        ("in/x/y/c.png", "x/y"),
    ]
    assert found("in") == ["in/a.png"]


def test_images_in_subfolders_alone_are_hinted_at(folder: Path) -> None:
    files(folder, "x/b.png")

    with pytest.raises(WrongUsage) as raised:
        find_sources(["in"])

    assert "--recursive" in raised.value.hint


def test_what_is_skipped_is_counted_and_named_with_the_reason(folder: Path) -> None:
    files(folder, "a.png", "b.heic", "c.HEIC", "d.dng", "e.txt", "noending")
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere")

    sources = find_sources(["in"])

    assert {Path(path).name: reason.split()[0] for path, reason in sources.skipped.items()} == {
        "b.heic": "HEIC",
        "c.HEIC": "HEIC",
        "d.dng": "camera",
        "e.txt": "not",
        "noending": "not",
        "pipe.png": "not",
        "gone.png": "a",
    }
    (note,) = sources.notes()
    assert note.startswith("7 files skipped: in/b.heic, in/c.HEIC (HEIC")


def test_many_that_are_skipped_are_counted_and_some_are_named() -> None:
    (note,) = Sources(found=[], skipped={f"{number}.txt": "no" for number in range(1_005)}).notes()

    assert note == "1,005 files skipped: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 1,000 more (no)."


@pytest.mark.parametrize("paths", [("in",), ("in/*",), ("in/a.png", "in/a-flip.png", f"in/{INDEX}")])
def test_results_are_no_sources_however_the_folder_is_named(folder: Path, paths: tuple[str, ...]) -> None:
    files(folder, "a.png")
    result(folder, "a-flip.png", "a.png")

    sources = find_sources(paths)

    assert [one.path for one in sources.found] == ["in/a.png"]
    assert "in/a-flip.png" in sources.results
    assert "skipped" in " ".join(sources.notes())


@pytest.mark.parametrize("paths", [("in/a-flip.png", "in/b-flip.png"), ("in/*-flip.png",)])
def test_results_that_are_named_and_nothing_else_are_sources(folder: Path, paths: tuple[str, ...]) -> None:
    files(folder, "b.png")
    for name in ("a", "b"):
        result(folder, f"{name}-flip.png", f"{name}.png")

    assert found(*paths) == ["in/a-flip.png", "in/b-flip.png"]
    assert found(*paths, "in/b.png") == ["in/b.png"]


def test_a_folder_of_results_alone_says_so(folder: Path) -> None:
    result(folder, "a-flip.png", "a.png")

    with pytest.raises(WrongUsage, match="earlier runs"):
        find_sources(["in"])


def test_a_hidden_file_that_is_named_is_left_to_the_upload_to_reject(folder: Path) -> None:
    files(folder, ".a.png")

    assert found("in/.a.png") == ["in/.a.png"]


@needs_root
def test_a_subfolder_that_cannot_be_read_is_skipped_and_named(folder: Path) -> None:
    files(folder, "a.png", "closed/b.png")
    (folder / "closed").chmod(0)
    with as_nobody(folder):
        sources = find_sources(["in"], recursive=True)
        with pytest.raises(WrongUsage, match=r"in/closed"):
            find_sources(["in/closed"])

    assert [one.path for one in sources.found] == ["in/a.png"]
    assert "cannot be read" in sources.skipped["in/closed"]
