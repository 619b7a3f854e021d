"""The index of results in a folder: what it proves, and what becomes of it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from courier.errors import WrongUsage
from courier.files import digest_of
from courier.images.results import ABOUT, INDEX, Made, ResultIndex, State
from tests.support.fakes import WAIT_LIMIT_SECONDS
from tests.support.place import ROOT, as_nobody, needs_root

WANTED = Made(result="a-flip.png", digest="", source="a.png", source_digest="5e5e", operations="flip")


def made(folder: Path, content: bytes = b"result", image: Made = WANTED) -> Path:
    """Make a result as a batch does."""
    path = folder / image.result
    path.write_bytes(content)
    add(folder, replace(image, digest=digest_of(path)))
    return path


def add(folder: Path, *images: Made) -> None:
    index = ResultIndex(folder)
    for image in images:
        with index.changing() as write:
            write(image)


def state(folder: Path, image: Made = WANTED) -> State:
    return ResultIndex(folder).state(folder / image.result, image)


def test_where_nothing_is_nothing_is_known(tmp_path: Path) -> None:
    assert state(tmp_path) is State.MISSING
    assert list(tmp_path.iterdir()) == []


def test_a_result_of_this_source_and_these_operations_is_done(tmp_path: Path) -> None:
    made(tmp_path)

    assert state(tmp_path) is State.DONE
    assert state(tmp_path, replace(WANTED, source="renamed.png")) is State.DONE


def test_operations_are_the_same_if_they_mean_the_same(tmp_path: Path) -> None:
    made(tmp_path, image=replace(WANTED, operations="thumbnail=200"))

    assert state(tmp_path, replace(WANTED, operations="thumbnail")) is State.DONE
    assert state(tmp_path, replace(WANTED, operations="thumbnail=100")) is State.FOREIGN


def test_operations_of_another_version_are_others(tmp_path: Path) -> None:
    made(tmp_path, image=replace(WANTED, operations="enchant"))

    assert state(tmp_path) is State.FOREIGN
    assert state(tmp_path, replace(WANTED, operations="enchant")) is State.DONE


def test_a_result_of_another_content_of_this_source_is_outdated(tmp_path: Path) -> None:
    made(tmp_path)

    assert state(tmp_path, replace(WANTED, source_digest="0ther")) is State.OUTDATED
    assert state(tmp_path, replace(WANTED, source_digest="0ther", source="b.png")) is State.FOREIGN


def test_a_file_with_another_content_than_the_result_is_foreign(tmp_path: Path) -> None:
    made(tmp_path).write_bytes(b"retouched")

    assert state(tmp_path) is State.FOREIGN
    assert state(tmp_path, replace(WANTED, source_digest="0ther")) is State.FOREIGN


def test_an_empty_file_in_place_of_a_result_is_made_again(tmp_path: Path) -> None:
    """A program that was killed leaves one where a file system has no links."""
    made(tmp_path).write_bytes(b"")

    assert state(tmp_path) is State.OUTDATED
    assert state(tmp_path, replace(WANTED, source="b.png")) is State.FOREIGN


def test_a_line_without_its_file_proves_nothing_of_another(tmp_path: Path) -> None:
    made(tmp_path).unlink()
    missing = state(tmp_path)
    (tmp_path / WANTED.result).write_bytes(b"mine")

    assert missing is State.MISSING
    assert state(tmp_path) is State.FOREIGN


def test_all_lines_count_and_not_the_last_alone(tmp_path: Path) -> None:
    """A program that was killed before its result had its name leaves the one before, and a line too many."""
    made(tmp_path)
    add(tmp_path, replace(WANTED, source_digest="0ther", digest="0ther"))

    assert state(tmp_path) is State.DONE
    assert state(tmp_path, replace(WANTED, source_digest="0ther")) is State.OUTDATED


def test_case_and_encoding_of_a_name_do_not_matter(tmp_path: Path) -> None:
    image = replace(WANTED, result="Zoë-flip.png")
    made(tmp_path, image=image)
    (tmp_path / image.result).rename(tmp_path / unicodedata.normalize("NFD", "ZOË-flip.png"))

    assert state(tmp_path, replace(image, result=unicodedata.normalize("NFD", "ZOË-flip.png"))) is State.DONE


def test_a_link_to_a_result_is_not_replaced(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to("elsewhere")

    assert state(tmp_path) is State.DONE
    assert state(tmp_path, replace(WANTED, source_digest="0ther")) is State.FOREIGN


def test_an_index_is_lines_that_people_can_read(tmp_path: Path) -> None:
    made(tmp_path)

    about, line = (tmp_path / INDEX).read_text().splitlines()
    assert not INDEX.startswith(".")
    assert json.loads(about) == ABOUT
    assert json.loads(line)["source"] == "a.png"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00\xff\xfe garbage",
        b"{" * 5_000,
        b"[1, 2]\n5\nnull\n",
        b'{"result": "a-flip.png", "digest": 5}\n',
        b'{"result": "a-flip.png", "digest": "5',
    ],
)
def test_damage_proves_nothing_and_is_in_nobodys_way(tmp_path: Path, damage: bytes) -> None:
    made(tmp_path)
    (tmp_path / INDEX).write_bytes(damage)
    without = state(tmp_path)

    made(tmp_path, b"new")

    assert without is State.FOREIGN
    assert state(tmp_path) is State.DONE
    assert (tmp_path / INDEX).read_bytes().startswith(damage)


@pytest.mark.parametrize("cut", [1, 20])
def test_half_a_line_at_the_end_costs_that_line_alone(tmp_path: Path, cut: int) -> None:
    made(tmp_path)
    other = replace(WANTED, result="b-flip.png", source="b.png")
    made(tmp_path, image=other)
    os.truncate(tmp_path / INDEX, (tmp_path / INDEX).stat().st_size - cut)
    third = replace(WANTED, result="c-flip.png", source="c.png")
    made(tmp_path, image=third)

    assert state(tmp_path) is State.DONE
    assert state(tmp_path, other) is (State.DONE if cut == 1 else State.FOREIGN)
    assert state(tmp_path, third) is State.DONE


def test_what_is_there_in_place_of_an_index_is_said(tmp_path: Path) -> None:
    (tmp_path / INDEX).mkdir()

    assert state(tmp_path) is State.MISSING
    with pytest.raises(WrongUsage, match=INDEX):
        add(tmp_path, WANTED)


def test_an_index_that_is_deleted_or_replaced_while_it_is_used_is_read_again(tmp_path: Path) -> None:
    index = ResultIndex(tmp_path)
    made(tmp_path)
    assert index.made(WANTED.result)
    (tmp_path / INDEX).unlink()
    other = replace(WANTED, result="b-flip.png")
    add(tmp_path, other)

    assert [one.result for one in index.made("b-flip.png")] == ["b-flip.png"]


def test_threads_add_whole_lines(tmp_path: Path) -> None:
    images = [[replace(WANTED, result=f"{name}{number}.png") for number in range(40)] for name in "abcd"]
    threads = [threading.Thread(target=add, args=(tmp_path, *some)) for some in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_LIMIT_SECONDS)

    index = ResultIndex(tmp_path)
    assert all(len(index.made(image.result)) == 1 for some in images for image in some)
    assert (tmp_path / INDEX).read_text().count('"about"') == 1


def test_programs_wait_for_each_other(tmp_path: Path) -> None:
    """While one decides, another adds nothing."""
    code = (
        "import sys; from pathlib import Path; from courier.images.results import Made, ResultIndex\n"
        "print('begun', flush=True)\n"
        "with ResultIndex(Path(sys.argv[1])).changing() as add: print('inside', flush=True)\n"
    )
    with ResultIndex(tmp_path).changing() as write:
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "begun\n"
        write(WANTED)
        order = ["ours"]
    order.append(other.stdout.readline().strip())
    other.wait(WAIT_LIMIT_SECONDS)
    other.stdout.close()

    assert order == ["ours", "inside"]


@needs_root
def test_what_cannot_be_read_proves_nothing_or_is_said(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.chmod(0)
    with as_nobody(tmp_path):
        with pytest.raises(WrongUsage, match=path.name):
            state(tmp_path)
        with pytest.raises(WrongUsage, match=INDEX):
            add(tmp_path, WANTED)
    (tmp_path / INDEX).chmod(0)
    with as_nobody(tmp_path):
        assert state(tmp_path) is State.FOREIGN


def test_an_index_that_cannot_grow_is_said_before_its_result_has_a_name(tmp_path: Path) -> None:
    add(tmp_path, WANTED)
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / INDEX).stat().st_size, room[1]))
    try:
        with pytest.raises(WrongUsage, match=INDEX):
            add(tmp_path, WANTED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
        signal.signal(signal.SIGXFSZ, ignored)
