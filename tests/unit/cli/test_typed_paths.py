from __future__ import annotations

import os
from pathlib import Path

import pytest

from courier.cli import typed_paths
from courier.cli.typed_paths import complete_files, complete_folders, path, paths
from courier.errors import WrongUsage

NAMES = ("cat.png", "My Cat (1).png", "it's.png", "cat[b].png", "ä.png", "a,b.png")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*NAMES, ".hidden.png", "sub/one.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("cat.png", ["cat.png"]),
        ("  cat.png ", ["cat.png"]),
        ("My Cat (1).png", ["My Cat (1).png"]),  # a name as it stands needs no quotes
        (r"My\ Cat\ \(1\).png it\'s.png ", ["My Cat (1).png", "it's.png"]),
        ("'My Cat (1).png' 'it'\\''s.png'", ["My Cat (1).png", "it's.png"]),
        ('"My Cat (1).png" cat[b].png', ["My Cat (1).png", "cat[b].png"]),
        ("& 'My Cat (1).png'", ["My Cat (1).png"]),
        ("cat.png, it\\'s.png", ["cat.png", "it's.png"]),
        ("a,b.png", ["a,b.png"]),
        ("cat.png\nMy Cat (1).png\n", ["cat.png", "My Cat (1).png"]),
        ("*.png sub", ["*.png", "sub"]),
        ("'*.png'", ["*.png"]),
    ],
)
def test_paths_are_read_as_they_are_typed_or_dropped(text: str, found: list[str]) -> None:
    assert paths(text) == found


def test_urls_and_the_home_folder_are_paths(folder: Path) -> None:
    urls = f"file://{folder}/My%20Cat%20(1).png\nfile://localhost{folder}/%C3%A4.png\n"

    assert paths(urls) == [f"{folder}/My Cat (1).png", f"{folder}/ä.png"]
    assert paths("~/cat.png") == [f"{folder}/cat.png"]
    with pytest.raises(WrongUsage, match="another computer"):
        paths("file://elsewhere/cat.png")


def test_a_path_of_windows_is_found_where_its_linux_has_the_drives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_paths, "_DRIVES", folder)
    (folder / "c/Users").mkdir(parents=True)
    (folder / "c/Users/My Cat.png").touch()

    assert paths(r'"C:\Users\My Cat.png"') == [f"{folder}/c/Users/My Cat.png"]
    with pytest.raises(WrongUsage, match="no file 'D:"):
        paths(r"D:\cat.png")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("cta.png", "no file 'cta.png'", "Did you mean cat.png?"),
        ("nothing.gif", "no file 'nothing.gif'", "Tab completes"),
        ("Your Cat.gif", "no file 'Your'", "in quotes"),
        ("/nowhere/cat.png", "no file '/nowhere/cat.png'", "Tab"),
        ("it's", "quote ' is not closed", "Close it"),
        ("\0", "no file", "Tab"),
    ],
)
def test_what_is_no_path_is_said_with_what_to_type(text: str, message: str, hint: str) -> None:
    with pytest.raises(WrongUsage, match=message) as raised:
        paths(text)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ""), ("new folder", "new folder"), ("'new folder'", "new folder"), (r"new\ folder", "new folder")],
)
def test_a_folder_need_not_exist(text: str, found: str) -> None:
    assert path(text) == found
    with pytest.raises(WrongUsage, match="several lines"):
        path("a\nb")


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("ca", ["cat.png", "cat[b].png"]),
        ("cat.png My", [r"cat.png My\ Cat\ (1).png"]),
        ("cat.png 'My", ["cat.png 'My Cat (1).png'"]),
        ("'My Cat (1).png' s", ["'My Cat (1).png' sub/"]),
        ("My C", ["My Cat (1).png"]),
        ("sub/", ["sub/one.png"]),
        ("~/sub/o", ["~/sub/one.png"]),
        (".h", [".hidden.png"]),
        ("nowhere/", []),
        (".", [".hidden.png"]),
        ("sub/.", []),
    ],
)
def test_tab_completes_the_last_word_or_the_line(line: str, completed: list[str]) -> None:
    assert complete_files(line) == completed


def test_tab_completes_folders_where_one_is_needed() -> None:
    assert complete_folders("") == ["sub/"]
    assert complete_folders("~") == ["~/sub/"]
    assert len(complete_files("")) == len(NAMES) + 1
    assert os.sep == "/"
