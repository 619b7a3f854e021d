"""Lists in files as programs write them: read alike by file and batch, or rejected with what they are and the hint."""

from __future__ import annotations

import codecs
import json
import shlex
import subprocess
import sys
import zipfile
from typing import Any

import pytest

from tests.support.place import ROOT, Place

CLIENT = "numbers_client.py"
WORKER = "numbers_worker.py"


def asked(place: Place, content: bytes | str, *arguments: str, command: str = "file") -> Any:
    (place.folder / "list.txt").write_bytes(content.encode() if isinstance(content, str) else content)
    return place.run(CLIENT, command, "list.txt", "--json", *arguments)


def sums(place: Place, content: bytes | str, *arguments: str, command: str = "file") -> list[float | str]:
    """Return the sum of each list, or why there is none."""
    done = asked(place, content, *arguments, command=command)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row.get("sum", row.get("error")) for row in rows]


def is_note(stderr: str, counts: str) -> bool:
    """Return whether this, and nothing else, is a note of a list that looks like one with decimal commas."""
    return stderr.startswith(f"{counts}: a decimal comma?") and stderr.endswith("--decimal-comma.\n")


@pytest.mark.parametrize(
    ("content", "whole", "lines"),
    [
        (b"1\r2\r3\r", 6, [1, 2, 3]),
        (b"1\r\n2\n3\r4\r\n \r\n\n", 10, [1, 2, 3, 4]),
        (codecs.BOM_UTF16_LE + "1,2\r\n4\r\n".encode("utf-16-le"), 7, [3, 4]),
        (codecs.BOM_UTF8 + b"1 2 3\n4 5 6\n\n\n", 21, [6, 15]),
        (b"1\t2\r\n3\t4\r\n", 10, [3, 7]),
    ],
)
def test_file_and_batch_read_what_programs_write(served: Place, content: bytes, whole: int, lines: list[int]) -> None:
    assert sums(served, content) == [whole]
    assert sums(served, content, command="batch") == lines


def test_options_say_how_numbers_are_written_and_where_they_stand(served: Place) -> None:
    sent = served.run(CLIENT, "send", "1,5; -2,25", "--decimal-comma", "--json")

    assert json.loads(sent.stdout)["sum"] == -0.75
    assert sums(served, "1,5\n2,5\n3,5\n", "--decimal-comma") == [7.5]
    assert sums(served, "1,5;2,5\n1.234,5\n7\n", "--decimal-comma", "--thousands", command="batch") == [4, 1234.5, 7]
    assert sums(served, 'id,price\n1,"1,234.5"\n2,5\n', "--column", "price", "--thousands") == [1239.5]
    assert sums(served, "price\n1.5\n2\n", "--skip-header") == [3.5]
    rows = asked(served, "a,b\n1,2\n1,x\n", "--skip-header", command="batch").stdout.splitlines()
    assert (json.loads(rows[0])["sum"], json.loads(rows[1])["line"]) == (3, 3)
    assert "--skip-header" in str(sums(served, "a,b\n1,2\n", command="batch")[0])


def test_a_column_of_decimal_commas_gets_a_note_and_its_answer(served: Place) -> None:
    file = asked(served, "1,5\n2,5\n3,5\n")
    sent = served.run(CLIENT, "send", "1,5\n2,5\n3,5", "--json")
    pairs = served.run(CLIENT, "send", "1,5", "--json")

    assert json.loads(file.stdout)["count"] == json.loads(sent.stdout)["count"] == 6
    assert file.stderr == sent.stderr
    assert is_note(file.stderr, "6 numbers in 3 lines")
    assert (file.returncode, pairs.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        ("id,price\n1,2\n", "Item 1 (character 1) is 'id'", "--skip-header"),
        ("sep=;\n1;2\n", "is 'sep='", "--skip-header"),
        ("1,2,\n3,4,\n", "Item 3 (character 5) is empty", "--column"),
        ('"1","2"\n', "is '\"1\"'", "--column"),
        ("1\n\n2\n", "Item 2 (character 3) is empty", "Delete the empty"),
        ("1 2\n3,4\n", "is '1 2'", "Spaces separate only"),
        (b"1\n\xff\n", "list.txt is not text: byte 3 ", "as UTF-8"),
        (b"1,\x00\x00", "byte 3 is zero", "binary"),
    ],
)
def test_what_is_no_list_is_named_with_a_hint(place: Place, content: bytes | str, said: str, hint: str) -> None:
    done = asked(place, content)

    assert done.returncode == 1
    assert said in done.stderr
    assert hint in done.stderr


def test_a_workbook_is_no_list_for_file_nor_batch(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "book.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")

    for command in ("file", "batch"):
        done = place.run(CLIENT, command, "book.xlsx")
        assert done.returncode == 1
        assert "book.xlsx is not text" in done.stderr
        assert "as CSV" in done.stderr


@pytest.mark.parametrize("command", ["file", "batch"])
def test_utf_16_without_a_byte_order_mark_is_named_by_file_and_batch(place: Place, command: str) -> None:
    done = asked(place, "1,2\n3\n".encode("utf-16-le"), command=command)

    assert done.returncode == 1
    assert "list.txt is not text: byte 2 " in done.stderr
    assert "UTF-16" in done.stderr


def test_a_batch_of_decimal_commas_is_noted_as_a_file_of_them_is(served: Place) -> None:
    done = asked(served, "1,5\n2,5\n3,5\n", command="batch")

    assert [json.loads(line)["count"] for line in done.stdout.splitlines()] == [2, 2, 2]
    assert is_note(done.stderr, "6 numbers in 3 lines")
    assert asked(served, "1;5\n2;5\n", command="batch").stderr == ""


def test_a_typed_list_that_fits_no_message_is_noted_too(place: Place) -> None:
    place.worker("numbers_worker.py")
    place.client("sqs").set_queue_attributes(
        QueueUrl=place.url("requestQueue"), Attributes={"MaximumMessageSize": "10240"}
    )

    done = place.run(CLIENT, "send", "1,5\n" * 3_000, "--json")

    assert json.loads(done.stdout)["count"] == 6_000
    assert is_note(done.stderr, "6,000 numbers in 3,000 lines")


@pytest.mark.parametrize(
    ("output", "status", "said"),
    [("| true", 141, ""), (">/dev/full", 2, "output cannot be written"), (">&-", 2, "output is closed")],
)
@pytest.mark.parametrize("source", ["list.txt", "- <list.txt"])
def test_an_output_that_takes_nothing_is_no_unreadable_file(
    served: Place, source: str, output: str, status: int, said: str
) -> None:
    (served.folder / "list.txt").write_text("1,2\n")
    command = f"{shlex.quote(sys.executable)} {ROOT / CLIENT} file {source} {output}; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", command], cwd=served.folder, env=served.env, capture_output=True, text=True, check=False
    )

    assert done.returncode == status
    assert said in done.stderr
    assert "cannot be read" not in done.stderr


def left_behind(place: Place) -> int:
    return int(place.client("s3").list_objects_v2(Bucket=place.bucket, Prefix="numbers/")["KeyCount"])


def test_a_long_list_is_rewritten_on_its_way_and_its_places_stay(place: Place) -> None:
    place.worker("numbers_worker.py")
    place.client("sqs").set_queue_attributes(
        QueueUrl=place.url("requestQueue"), Attributes={"MaximumMessageSize": "10240"}
    )
    rows = "".join(f"{number % 90 + 10}.234,5\r\n" for number in range(9_000))
    options = ("--decimal-comma", "--thousands", "--skip-header")

    good = sums(place, "preis\r\n" + rows + "\r\n \r\n", *options)
    bad = asked(place, "preis\r\n" + rows + "7.x\r\n", *options)
    empty = asked(place, rows.replace(".", "").replace(",", ".") + "\r\n1\r\n")
    noted = asked(place, "1,5\n" * 9_000)

    assert good == [sum(1_000 * (number % 90 + 10) for number in range(9_000)) + 9_000 * 234.5]
    assert f"Item 9,001 (character {len(rows) + 8:,}) is '7.x'" in bad.stderr
    assert "Line 9,001 (character 81,001) is empty" in empty.stderr
    assert is_note(noted.stderr, "18,000 numbers in 9,000 lines")
    assert json.loads(noted.stdout)["count"] == 18_000
    assert left_behind(place) == 0
