"""Every command that shows progress, its outputs on a terminal or in a file: each row arrives once, whole, in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from courier.images.preview import sample
from tests.conftest import Place, _place
from tests.support.terminals import Seen, chunked, run, without_times

NUMBERS, IMAGES = "numbers_client.py", "images_client.py"
COMBINATIONS = list(product(("pty", "file"), repeat=2))
#: What hides the cursor: something is being drawn.
DRAWN = b"\x1b[?25l"
FILES = [f"image-{number}.png" for number in range(6)]
LONG = ",".join(f"{number}.25" for number in range(300_000))  # more than a message carries

NUMBERS_COMMANDS = {
    "send": ["send", "1,5,22", "--json"],
    "send --csv": ["send", "1,5,22", "--csv"],
    "random": ["random", "30", "--seed", "1", "--json"],
    "file": ["file", "long.txt", "--json"],
    "batch": ["batch", "lines.txt"],
    "batch --csv": ["batch", "lines.txt", "--csv"],
    "check": ["check", "--json"],
}
IMAGES_COMMANDS = {
    "upload": ["upload", *FILES, "--json"],
    "process": ["process", *FILES[:2], "--json"],
    "download": ["download", "image-0-grayscale.png", "--replace", "--json"],
    "run": ["run", FILES[0], "--replace", "--json"],
    "run, many": ["run", *FILES, "--replace", "--json"],
    "run, many, for a person": ["run", *FILES, "--replace"],
    "check": ["check", "--json"],
}


@pytest.fixture(scope="session")
def _images_account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with _place(request, tmp_path_factory.mktemp("images")) as made:
        made.create_queues()
        made.create_bucket()
        made.worker("images_worker.py")
        yield made


@pytest.fixture
def imaging(_images_account: Place, tmp_path: Path) -> Iterator[Place]:
    """An images worker that others use as well, images in the bucket, and the same in a folder."""
    for name in FILES:
        (tmp_path / name).write_bytes(sample())
        _images_account.client("s3").put_object(
            Bucket=_images_account.bucket, Key=f"images/unprocessed/{name}", Body=sample()
        )
    with ExitStack() as stack:
        yield replace(_images_account, folder=tmp_path, stack=stack)


def seen_by_all(place: Place, program: str, arguments: list[str]) -> dict[tuple[str, str], Seen]:
    """Run a command with every combination of terminals and files."""
    return {
        (out, err): run(program, arguments, env=place.env, folder=place.folder, out=out, err=err)
        for out, err in COMBINATIONS
    }


def assert_rows_arrive(seen: dict[tuple[str, str], Seen], *, in_words: bool = False) -> list[str]:
    """Hold all combinations to what arrives without any terminal, and return that."""
    reference = seen["file", "file"]
    rows = without_times(reference.out.decode()).splitlines()
    notes = without_times(reference.err.decode()).splitlines()
    assert rows
    for combination, one in seen.items():
        assert one.status == reference.status, combination
    in_file = seen["file", "pty"]
    assert without_times(in_file.out.decode()).splitlines() == rows
    assert [without_times(line) for line in in_file.screen(in_file.err)] == (notes or [""])
    assert DRAWN not in seen["pty", "file"].out + seen["pty", "file"].err
    for combination, left in (("pty", "file"), rows), (("pty", "pty"), [*rows, *notes]):
        shown = without_times("\n".join(seen[combination].screen())).split("\n")
        assert shown == (left if in_words else unpadded(chunked(left, 80))), combination
    return rows


def unpadded(lines: list[str]) -> list[str]:
    return [without_times(line) for line in lines]


@pytest.mark.parametrize("name", NUMBERS_COMMANDS)
def test_rows_of_the_numbers_client_arrive_whole(served: Place, name: str) -> None:
    (served.folder / "lines.txt").write_text("1,2,3\n4,5\nx\n\n6\n7 8 9\n1,,2\n")
    (served.folder / "long.txt").write_text(LONG)

    seen = seen_by_all(served, NUMBERS, NUMBERS_COMMANDS[name])

    rows = assert_rows_arrive(seen) if name != "check" else [seen["file", "pty"].out.decode()]
    assert DRAWN in seen["file", "pty"].err
    assert (DRAWN in seen["pty", "pty"].out) == ("batch" not in name)  # its rows are its progress
    if name == "batch":
        assert [json.loads(row).get("line") for row in rows] == [1, 2, 3, 4, 5, 6, 7]
        assert seen["file", "file"].err.decode() == "7 lines: 4 answered, 3 rejected (3, 4, 7)\n"


@pytest.mark.parametrize("name", IMAGES_COMMANDS)
def test_rows_of_the_images_client_arrive_whole(imaging: Place, name: str) -> None:
    if name == "download":
        run(IMAGES, ["process", FILES[0]], env=imaging.env, folder=imaging.folder)

    seen = seen_by_all(imaging, IMAGES, IMAGES_COMMANDS[name])

    rows = assert_rows_arrive(seen) if name != "check" else [seen["file", "pty"].out.decode()]
    assert DRAWN in seen["file", "pty"].err
    assert DRAWN in seen["pty", "pty"].out
    if name.startswith("run, many"):
        assert [re.findall(r"image-\d", row)[0] for row in rows] == [Path(path).stem for path in FILES]
    if name == "run, many, for a person":
        assert re.fullmatch(r"6 images, 117 kB, \d+ s, in this folder\n", seen["file", "file"].err.decode())


@pytest.mark.parametrize("name", ["send", "batch"])
def test_nothing_is_drawn_beside_a_pipe_whose_reader_may_have_the_terminal(served: Place, name: str) -> None:
    (served.folder / "lines.txt").write_text("1,2,3\n4\n")

    seen = run(NUMBERS, NUMBERS_COMMANDS[name], env=served.env, folder=served.folder, out="pipe")

    assert seen.err == b""
    assert [json.loads(row)["count"] for row in seen.out.splitlines()] == ([3] if name == "send" else [3, 1])


def test_the_operations_fit_a_pager(served: Place) -> None:
    seen = run(IMAGES, ["operations"], env=served.env, folder=served.folder, out="pipe")

    lines = seen.out.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("sepia" in line for line in lines)


@pytest.mark.parametrize("columns", [30, 50])
def test_nothing_is_torn_on_a_narrow_terminal(imaging: Place, columns: int) -> None:
    arguments = ["run", *FILES, "--replace", "--json"]

    seen = run(IMAGES, arguments, env=imaging.env, folder=imaging.folder, columns=columns)
    reference = run(IMAGES, arguments, env=imaging.env, folder=imaging.folder, out="file", err="file")

    rows = without_times((reference.out + reference.err).decode()).splitlines()
    assert len(rows) == len(FILES) + 1
    assert without_times("".join(seen.screen())).replace(" ", "") == "".join(rows).replace(" ", "")


@pytest.mark.parametrize("columns", [30, 80])
def test_an_answer_fits_the_terminal(served: Place, columns: int) -> None:
    seen = run(NUMBERS, ["send", "1, 1e40, -123456.75"], env=served.env, folder=served.folder, columns=columns)

    assert DRAWN in seen.out
    lines = re.sub(r"\x1b\[[\d;]*m", "", seen.out.decode().rsplit("\x1b[?25h\r", 1)[1]).split("\r\n")
    assert len(lines) < 24 or columns < 60
    assert max(map(len, lines)) <= columns
    assert "1" + "0" * 40 in "".join(line.split()[-1].removesuffix("\\") for line in lines if line)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (NUMBERS, ["--help"]),
        (NUMBERS, ["send", "1", "2"]),
        (NUMBERS, ["send", "1", "--json"]),
        (NUMBERS, ["send", "1,x", "--json"]),
        (NUMBERS, ["send", "1", "--csv"]),
        (NUMBERS, ["batch", "lines.txt"]),
        (NUMBERS, ["check"]),
        (IMAGES, ["--version"]),
        (IMAGES, ["operations"]),
        (IMAGES, ["list"]),
    ],
)
def test_a_reader_that_went_away_is_one_status(served: Place, program: str, arguments: list[str]) -> None:
    (served.folder / "lines.txt").write_text("1,2,3\n")

    for err in ("file", "pty", "gone"):
        seen = run(program, arguments, env=served.env, folder=served.folder, out="gone", err=err)
        assert seen.status == 141, (err, seen.err)
        assert b"Traceback" not in seen.err
        assert b"Exception ignored" not in seen.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_no_text_is_too_much_for_an_encoding(served: Place, encoding: str) -> None:
    env = {**served.env, "PYTHONIOENCODING": encoding}

    def once(*arguments: str, err: str = "file") -> Seen:
        return run(NUMBERS, arguments, env=env, folder=served.folder, out="file", err=err)

    many, rejected, drawn = once("random", "30", "--seed", "1"), once("send", "1,中…,2"), once("random", "9", err="pty")

    assert (many.status, rejected.status, drawn.status) == (0, 1, 0)
    assert ("..." in many.out.decode(encoding)) == (encoding != "cp1252")
    assert "'\\u4e2d" in rejected.err.decode(encoding)
    assert DRAWN in drawn.err
    assert drawn.err.isascii()


def test_colors_that_are_forced_draw_nothing_into_a_file(served: Place) -> None:
    env = {**served.env, "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}

    person = run(NUMBERS, ["send", "1"], env=env, folder=served.folder, out="file", err="file")
    program = run(NUMBERS, ["send", "1", "--json"], env=env, folder=served.folder, out="file", err="file")

    assert person.err == b""
    assert re.findall(rb"\x1b\[[^m]*[A-Za-ln-z]", person.out) == []
    assert json.loads(program.out)["count"] == 1


def test_plain_output_draws_nothing_on_a_terminal_either(served: Place) -> None:
    env = {**served.env, "COURIER_PLAIN": "1", "NO_COLOR": "1"}

    seen = run(NUMBERS, ["send", "1,5,22"], env=env, folder=served.folder)

    assert b"\x1b" not in seen.out
    assert {"median: 5", "mean: 9.3333333333333333 (rounded)", "0 to 5: 1"} <= set(seen.screen())
