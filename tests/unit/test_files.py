from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import Rejected, WrongUsage
from courier.files import check_name, read_file, remove_unfinished, unfinished, writing


@pytest.mark.parametrize("name", ["cat.png", "Größe 7.jpg", "a[/b].png".replace("/", ""), "-rf.png", "猫.webp"])
def test_an_ordinary_name_passes(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x.png",
        "a/b.png",
        "/etc/passwd",
        "a\\b.png",
        ".bashrc",
        "a\x00b",
        "a\nb",
        "\x1b[2J",
        "x" * 256,
    ],
)
def test_a_name_that_could_do_harm_is_rejected(name: str) -> None:
    with pytest.raises(Rejected, match="The name "):
        check_name(name)


@given(st.text())
def test_whatever_passes_stays_in_its_folder(name: str) -> None:
    try:
        check_name(name)
    except Rejected:
        return
    path = Path("/folder") / name
    assert path.parent == Path("/folder")
    assert path.name == name


def test_a_file_appears_whole(tmp_path: Path) -> None:
    with writing(tmp_path / "a", replace=False) as file:
        file.write(b"abc")

    assert (tmp_path / "a").read_bytes() == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(WrongUsage, match="exists already"), writing(tmp_path / "a", replace=False):
        pytest.fail("the body must not run")

    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_link_that_leads_nowhere_counts_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(WrongUsage, match="exists already"), writing(tmp_path / "a", replace=False):
        pytest.fail("the body must not run")

    assert not (tmp_path / "elsewhere").exists()


def test_replacing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "a").symlink_to(tmp_path / "target")

    with writing(tmp_path / "a", replace=True) as file:
        file.write(b"new")

    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("replace", [True, False])
def test_a_failure_leaves_no_trace(tmp_path: Path, *, replace: bool) -> None:
    if replace:
        (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(RuntimeError), writing(tmp_path / "a", replace=replace) as file:
        file.write(b"half")
        raise RuntimeError

    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({"a": b"old"} if replace else {})


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="cannot be written"), writing(tmp_path / "no" / "a", replace=False):
        pytest.fail("the body must not run")


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")

    assert read_file(tmp_path / "a", limit_bytes=5) == b"12345"
    with pytest.raises(Rejected, match="5 bytes; at most 4 "):
        read_file(tmp_path / "a", limit_bytes=4)
    with pytest.raises(WrongUsage, match="is not a file"):
        read_file(tmp_path, limit_bytes=4)


def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    fstat = os.fstat
    seen: list[int] = []

    def change(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if not seen:
            path.write_bytes(b"1234")
        seen.append(descriptor)
        return found

    monkeypatch.setattr("courier.files.os.fstat", change)

    with pytest.raises(WrongUsage, match="changed while"):
        read_file(path, limit_bytes=5)


def test_what_is_being_written_stays_and_what_a_killed_program_wrote_goes(tmp_path: Path) -> None:
    for name in (".courier-abcd1234", ".courier-of the user's", "courier-abcd1234"):
        (tmp_path / name).write_bytes(b"half")
    with unfinished(tmp_path / "a") as part:
        part.file.write(b"whole")

        remove_unfinished(tmp_path)
        remove_unfinished(tmp_path / "nowhere")
        part.finish(replace=False)

    assert sorted(path.name for path in tmp_path.iterdir()) == [".courier-of the user's", "a", "courier-abcd1234"]
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_where_the_system_knows_no_links_a_name_is_claimed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", reject)

    with writing(tmp_path / "a", replace=False) as file:
        file.write(b"abc")
    with pytest.raises(WrongUsage), unfinished(tmp_path / "a") as part:
        part.finish(replace=False)

    assert (tmp_path / "a").read_bytes() == b"abc"


def test_where_files_cannot_be_locked_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reject(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("fcntl.flock", reject)
    (tmp_path / ".courier-abcd1234").write_bytes(b"half")

    remove_unfinished(tmp_path)

    assert (tmp_path / ".courier-abcd1234").exists()
