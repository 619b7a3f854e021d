"""Lists that fit no message: from a file or a pipe through bucket, queues and workers, and nothing is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from courier.numbers import handler
from courier.numbers.response import NumbersResponse, encode
from courier.numbers.stats import of_any, summarize
from tests.support.place import ROOT, WAIT_SECONDS, Place, wait_for

CLIENT = "numbers_client.py"
WORKER = "numbers_worker.py"
LISTS = "numbers/unprocessed/"
#: Parts of 20 kB, so that a list of some 100 kB is several requests.
PARTS = {"COURIER_LIST_PART_MEGABYTES": "0.02"}


@pytest.fixture
def place(place: Place) -> Place:
    """A queue that takes little, so that a short list is a long one."""
    place.client("sqs").set_queue_attributes(
        QueueUrl=place.url("requestQueue"), Attributes={"MaximumMessageSize": "10240"}
    )
    return place


def numbers(count: int) -> str:
    return "\n".join(f"{(number * 7919) % 400_009 / 100 - 900:.2f}" for number in range(count)) + "\n"


def right_answer(text: str, *percentiles: str) -> str:
    """Return the answer as JSON, by the engine that holds the whole list."""
    sample = handler.read(text)
    return encode(NumbersResponse.of(summarize(sample, of_any(percentiles)), None)) + "\n"


def left_behind(place: Place) -> int:
    return int(place.client("s3").list_objects_v2(Bucket=place.bucket, Prefix="numbers/")["KeyCount"])


def test_a_file_that_fits_no_message_is_answered_and_leaves_nothing(place: Place) -> None:
    text = numbers(14_000)
    (place.folder / "prices.txt").write_text(text)
    first, second = place.worker(WORKER), place.worker(WORKER)

    whole = place.run(CLIENT, "file", "prices.txt", "--json")
    split = place.run(CLIENT, "file", "-", "--json", "--percentile", "5,99.9", text=text, env=PARTS)
    shown = place.run(CLIENT, "file", "prices.txt", env=PARTS)

    assert (whole.stdout, whole.stderr) == (right_answer(text), "")
    assert (split.stdout, split.stderr) == (right_answer(text, "5", "99.9"), "")
    assert "14,000 numbers: -900.00, -820.81, -741.62, -662.43, -583.24, …, " in shown.stdout
    assert "1000 \N{EN DASH} 1500" in shown.stdout
    assert left_behind(place) == 0
    assert first.log.count("numbers ok") > 2
    assert second.log.count("numbers ok") > 2


def test_a_parse_error_has_its_position_in_the_whole_list(place: Place) -> None:
    place.worker(WORKER)
    before = numbers(9_000)
    text = before + "12x\n" + numbers(4_000)

    split = place.run(CLIENT, "file", "-", text=text, env=PARTS)
    whole = place.run(CLIENT, "file", "-", "--json", text=text)

    parse_error = json.loads(whole.stdout)["error"]
    assert split.returncode == whole.returncode == 1
    assert parse_error.startswith(f"Item 9,001 (character {len(before) + 1:,}) is '12x'")
    assert split.stderr.endswith(f"numbers_client.py: {parse_error}\n  12x\n  ^\n")
    assert left_behind(place) == 0


def test_a_worker_killed_at_a_part_costs_the_list_nothing(place: Place) -> None:
    text = numbers(14_000)
    victim = place.worker(WORKER, COURIER_VISIBILITY_SECONDS="2")
    asking = place.start(CLIENT, "file", "-", "--json", COURIER_LIST_PART_MEGABYTES="0.004")
    assert asking.stdin is not None
    asking.stdin.write(text)
    asking.stdin.close()
    asking.stdin = None

    victim.until_logged("numbers ok")
    victim.process.kill()
    place.worker(WORKER, ready=False)
    out, err = asking.communicate()

    assert (out, err) == (right_answer(text), "")
    assert left_behind(place) == 0


def test_ctrl_c_while_a_list_waits_takes_it_out_of_the_bucket(place: Place) -> None:
    asking = place.start(CLIENT, "file", "-")
    asking.stdin and asking.stdin.write(numbers(2_000))
    asking.stdin and asking.stdin.close()
    asking.stdin = None
    wait_for(lambda: left_behind(place) == 1 and place.depth("requestQueue") == 1)

    asking.send_signal(signal.SIGINT)
    asking.communicate()

    assert asking.returncode == 130
    assert left_behind(place) == 0
    worker = place.worker(WORKER)  # which finds the request, and no list
    worker.until_logged("numbers rejected")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_pipe_is_silent_in_an_upload_is_heard(place: Place, number: signal.Signals) -> None:
    asking = place.start(CLIENT, "file", "-")
    assert asking.stdin is not None
    asking.stdin.write(numbers(1_100_000))  # more than a first part
    asking.stdin.flush()
    s3 = place.client("s3")
    wait_for(lambda: s3.list_multipart_uploads(Bucket=place.bucket).get("Uploads"))

    asking.send_signal(number)

    assert asking.wait() == 128 + number
    assert not s3.list_multipart_uploads(Bucket=place.bucket).get("Uploads")
    assert left_behind(place) == 0


def test_a_line_of_a_batch_that_fits_no_message_is_an_error_row(place: Place) -> None:
    place.worker(WORKER)

    done = place.run(CLIENT, "batch", "-", text="1\n" + ",".join(["123456789"] * 2_000) + "\n2\n")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row.get("sum") for row in rows] == [1, None, 2]
    assert (rows[1].keys(), rows[1]["line"]) == ({"line", "error"}, 2)
    assert all(fact in rows[1]["error"] for fact in ("19,999 bytes", "9,540", "file command")), rows[1]
    assert done.returncode == 1


def test_output_that_cannot_be_written_is_not_blamed_on_the_list(place: Place) -> None:
    (place.folder / "prices.txt").write_text(numbers(2_000))
    place.worker(WORKER)

    with Path("/dev/full").open("w") as full:
        asking = subprocess.run(
            [sys.executable, str(ROOT / CLIENT), "file", "prices.txt", "--json"],
            cwd=place.folder, env=place.env, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=WAIT_SECONDS, check=False,
        )  # fmt: skip

    assert asking.returncode == 2
    assert asking.stderr.startswith("numbers_client.py: The output ")
    assert asking.stderr.endswith(": No space left on device.\n")


def test_a_list_that_was_put_into_the_bucket_manually_is_answered(place: Place) -> None:
    place.client("s3").put_object(Bucket=place.bucket, Key=f"{LISTS}my list.csv", Body=b"1,2,\n")
    place.client("s3").put_object(Bucket=place.bucket, Key=f"{LISTS}good", Body=b"1;2;4")
    place.worker(WORKER)
    bodies = [f"{LISTS}good", f"{LISTS}my list.csv", f"{LISTS}none", f"{LISTS}../x"]
    asked = {place.post("requestQueue", body, request_id=str(number)): body for number, body in enumerate(bodies)}
    options = ('{"etag": "other"}', '{"part": "9-3"}', '{"part": "0-2", "look": "x"}', '{"color": "red"}')
    for number, option in enumerate(options, start=len(asked)):
        place.post("requestQueue", f"{LISTS}good", request_id=str(number), options=option)

    found = {
        message["MessageAttributes"]["request-id"]["StringValue"]: message["Body"]
        for message in place.collect("responseQueue", count=8)
    }

    assert json.loads(found["0"])["sum"] == 7
    assert all(found[str(number)].startswith("?Error. ") for number in range(1, 8))
    assert "Item 3 (character 5) is empty" in found["1"]
    assert f"no 'none' in {LISTS}" in found["2"]
    assert f"'good' in {LISTS}" in found["4"]
    assert "was replaced" in found["4"]
    assert "5 bytes cannot be '9-3'" in found["5"]
    assert "plan for the list" in found["6"]
    assert "no option 'color=red'" in found["7"]


def test_without_a_bucket_a_long_list_is_rejected_in_a_sentence(bare_place: Place) -> None:
    bare_place.create_queues()

    done = bare_place.run(CLIENT, "file", "-", text=numbers(200_000))

    assert done.returncode == 4
    assert f"The bucket {bare_place.bucket}" in done.stderr
    assert "./aws_setup.sh bucket" in done.stderr
