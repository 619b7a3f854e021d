"""The numbers client as a command, a real worker behind a real queue."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import time
from decimal import Context, Decimal

import pytest

from tests.support import nist
from tests.support.place import Place, wait_for
from tests.support.rows import rows

CLIENT = "numbers_client.py"
WORKER = "numbers_worker.py"


def test_a_list_is_answered_with_a_table(served: Place) -> None:
    done = served.run(CLIENT, "send", "1,5,22")

    assert done.returncode == 0, done.stderr
    assert "3 numbers: 1, 5, 22\n" in done.stdout
    assert "│ median   │                    5 │" in done.stdout
    assert "│ mean     │ ≈ 9.3333333333333333 │" in done.stdout
    assert "│ mode     │                 none │" in done.stdout
    assert "20 \N{EN DASH} 25 ████" in done.stdout
    assert "median ┃, mean ◆" in done.stdout
    assert re.search(r"answered in \d\.\d{3} s\n", done.stdout)
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_json_carries_exact_digits_and_nothing_else(served: Place) -> None:
    done = served.run(CLIENT, "send", "9007199254740993, 9007199254740995, -1e30, 0.25", "--json")

    assert done.stderr == ""
    assert done.stdout == (
        '{"count": 4, "sum": -9.9999999999998199e29, "min": -1000000000000000000000000000000, '
        '"max": 9007199254740995, "range": 1000000000000009007199254740995, '
        '"mean": -2.4999999999999550e29, "median": 4503599627370496.6, '
        '"q1": -2.5000000000000000e29, "q3": 9007199254740993.5, "iqr": 2.5000000000000901e29, '
        '"variance": 2.5000000000000300e59, "stdev": 5.0000000000000300e29, "mode": null, '
        '"rounded": ["sum", "mean", "median", "q1", "iqr", "variance", "stdev"]}\n'
    )


def test_percentiles_stand_beside_the_other_statistics_of_each_list_of_a_batch(served: Place) -> None:
    options = ["--csv", "--percentile", "5,99.9", "--modes", "--skip-missing"]
    done = served.run(CLIENT, "batch", "-", *options, text="1,2,NA,3,,4\nx\n7\n2,1,2,1\n")
    one = served.run(CLIENT, "send", "-", "--json", *options[1:], text="7\n7\nnull\n")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [[row[name] for name in ("mode", "p5", "p99.9", "modes", "skipped")] for row in rows] == [
        ["", "1.15", "3.997", "", "2"],
        [""] * 5,
        ["7", "7", "7", "7", "0"],
        ["1", "1", "2", "1 2", "0"],
    ]
    assert done.returncode == 1
    assert "2 missing values skipped: na (1), empty (1)" in done.stderr
    assert json.loads(one.stdout)["modes"] == [7]
    assert json.loads(one.stdout)["skipped"] == 1


def test_csv_has_a_header_and_a_row(served: Place) -> None:
    done = served.run(CLIENT, "send", "0.1,0.2,0.3,0.2", "--csv")
    both = served.run(CLIENT, "send", "1", "--csv", "--json")

    assert next(csv.DictReader(io.StringIO(done.stdout)))["mode"] == "0.2"
    assert done.stdout.count("\n") == 2
    assert both.returncode == 2
    assert "--json or --csv" in both.stderr


def test_a_bad_list_is_drawn_with_a_caret(place: Place) -> None:
    done = place.run(CLIENT, "send", "1,2;3")

    assert done.stderr.splitlines()[1:] == ["  1,2;3", "  ^"]


def test_plain_ascii_where_the_output_has_no_more(served: Place) -> None:
    done = served.run(CLIENT, "send", "1,5,22", env={"PYTHONIOENCODING": "ascii"})

    assert done.stdout.isascii()
    assert "~ 9.3333333333333333" in done.stdout
    assert "20 - 25 ####" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "total"),
    [
        (["send", "-1,-5,22"], 16),
        (["send", "1", "-5", "22"], 18),
        (["send", "1;2;3", "--timeout", "9"], 6),
        (["--timeout", "9", "send", "1\n2\n3"], 6),
        (["send", "-.5 1.5"], 1),
    ],
)
def test_a_list_may_be_given_in_many_ways(served: Place, arguments: list[str], total: int) -> None:
    done = served.run(CLIENT, *arguments, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sum"] == total


def test_sample_random_file_and_standard_input(served: Place) -> None:
    (served.folder / "list.txt").write_text("1\n2\n3\n")

    sample = served.run(CLIENT, "sample", "--json")
    once, again, other = (served.run(CLIENT, "random", "50", "--seed", seed, "--json") for seed in ("7", "7", "8"))
    file = served.run(CLIENT, "file", "list.txt", "--json")
    piped = served.run(CLIENT, "file", "-", "--json", text="4;5")

    assert json.loads(sample.stdout)["count"] == 7
    assert once.stdout == again.stdout != other.stdout
    assert json.loads(file.stdout)["sum"] == 6
    assert json.loads(piped.stdout)["sum"] == 9


def test_a_long_list_travels_and_is_shown_short(served: Place) -> None:
    done = served.run(CLIENT, "file", "-", text=",".join(str(number) for number in range(1, 100_001)))

    assert "100,000 numbers: 1, 2, 3, 4, 5, …, 99996, 99997, 99998, 99999, 100000\n" in done.stdout
    assert "5000050000 │" in done.stdout


def test_a_batch_answers_every_line_in_order_and_names_the_bad_ones(served: Place) -> None:
    lines = [f"{number},{number + 2}" for number in range(250)]
    lines[3] = "1,x"
    lines[240] = ""

    done = served.run(CLIENT, "batch", "-", text="\n".join(lines) + "\n")

    found = rows(done.stdout, "numbers-batch")
    assert done.returncode == 1
    assert [row["line"] for row in found] == list(range(1, 251))
    for place, fact in ((240, "list is empty"), (3, "Item 2 (character 3) is 'x'")):
        row = found.pop(place)
        assert row.keys() == {"line", "error"}
        assert fact in row["error"]
    assert [row["mean"] for row in found] == [number + 1 for number in range(250) if number not in {3, 240}]


def test_nists_datasets_come_back_with_every_certified_digit(served: Place) -> None:
    lines = [",".join(dataset.numbers) for dataset in nist.DATASETS.values()]

    done = served.run(CLIENT, "batch", "-", text="\n".join(lines) + "\n")

    assert done.returncode == 0, (done.stderr, [line for line in done.stdout.splitlines() if "error" in line])
    answers = [json.loads(line, parse_int=Decimal, parse_float=Decimal) for line in done.stdout.splitlines()]
    certified = Context(prec=15)  # as many digits as NIST certifies
    assert [[certified.plus(row["mean"]), certified.plus(row["stdev"])] for row in answers] == [
        [Decimal(dataset.mean), Decimal(dataset.stdev)] for dataset in nist.DATASETS.values()
    ]
    assert len(answers) == 9


def test_a_batch_from_a_slow_pipe_answers_while_the_pipe_is_open(served: Place) -> None:
    process = served.start(CLIENT, "batch", "-")
    assert process.stdin is not None
    assert process.stdout is not None

    for number in (1, 2):
        process.stdin.write(f"{number}\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["sum"] == number
    process.stdin.close()

    assert process.wait() == 0


def test_a_batch_goes_on_after_a_line_that_nobody_answered(place: Place) -> None:
    process = place.run(CLIENT, "batch", "-", "--timeout", "1", text="1\nx\n2\n")

    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert process.returncode == 3
    assert [row["line"] for row in answers] == [1, 2, 3]
    assert "responseQueue within 1 s" in answers[0]["error"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["send", "1,,22"], 1, "Item 2 (character 3) is empty"),
        (["send"], 2, "the following arguments are required"),
        (["frob"], 2, "there is no command 'frob'"),
        (["file", "nowhere.txt"], 2, "nowhere.txt cannot be read: No such file"),
        (["batch", "nowhere.txt"], 2, "nowhere.txt cannot be read: No such file"),
        (["random", "0"], 2, "whole number from 1 to 50,000"),
        (["sample", "--timeout", "-5"], 2, "seconds, more than 0"),
        ([], 2, "needs a terminal"),
        (["purge"], 2, "Add --yes"),
        (["send", "1", "--timeout", "1"], 3, "python numbers_worker.py"),
    ],
)
def test_exit_statuses_and_sentences(place: Place, arguments: list[str], status: int, said: str) -> None:
    done = place.run(CLIENT, *arguments)

    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rejection_by_the_worker_is_status_1(place: Place) -> None:
    process = place.start(CLIENT, "send", "1")
    (request,) = place.collect("requestQueue")

    request_id = request["MessageAttributes"]["request-id"]["StringValue"]
    place.post("responseQueue", "?Error. Not today.", request_id=request_id, status="error")

    assert process.wait() == 1
    assert process.stderr is not None
    # On a slow machine it has said before that it waits.
    said = [line for line in process.stderr.read().splitlines() if not line.startswith("Still waiting after ")]
    assert said == ["numbers_client.py: Not today."]


@pytest.mark.long
@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be reached"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "new credentials into ~/.aws/credentials"),
        ({"AWS_DEFAULT_REGION": ""}, "has no region"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1/x", "AWS_PROFILE": "nobody"}, "nobody"),
        (
            {"COURIER_REQUEST_QUEUE": "nowhere", "AWS_DEFAULT_REGION": "eu-west-3"},
            "nowhere does not exist in eu-west-3 at http://127.0.0.1:",
        ),
        ({"AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLE\r"}, "AWS_SESSION_TOKEN ends in a carriage return"),
        (
            {
                "AWS_ACCESS_KEY_ID": "",
                "AWS_SECRET_ACCESS_KEY": "",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/nope/token",
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
            },
            "/nope/token",
        ),
    ],
)
def test_an_aws_error_is_status_4_and_has_a_hint(place: Place, env: dict[str, str], said: str) -> None:
    done = place.run(CLIENT, "send", "1", env=env)

    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "EXAMPLE" not in done.stderr


def test_a_wrong_setting_is_rejected_at_start_with_its_name(place: Place) -> None:
    done = place.run(CLIENT, "send", "1", env={"COURIER_TIMEOUT_SECONDS": "soon"})

    assert done.returncode == 2
    assert "COURIER_TIMEOUT_SECONDS is 'soon'" in done.stderr
    assert "from 0.1 to 3,600" in done.stderr


def test_json_says_errors_in_json_too(place: Place) -> None:
    done = place.run(CLIENT, "send", "1,x", "--json")

    row = json.loads(done.stdout)
    assert row.keys() == {"error"}
    assert "Item 2 (character 3) is 'x'" in row["error"]
    assert row["error"] in done.stderr


def test_a_purge_empties_the_queue_and_explains_itself(place: Place) -> None:
    for _ in range(3):
        place.post("requestQueue", "1,2")

    done = place.run(CLIENT, "purge", "--yes")

    assert done.returncode == 0
    assert f"Purged {place.named('requestQueue')}: about 3 " in done.stdout
    assert "60 s" in done.stdout
    assert place.depth("requestQueue") == 0


def test_ctrl_c_leaves_cleanly_and_at_once(place: Place) -> None:
    gate = place.gate()
    gate.fail("black_hole", "ReceiveMessage", seconds=3600.0)  # a poll without an end
    process = place.start(CLIENT, "send", "1", "--timeout", "3600", AWS_ENDPOINT_URL=gate.url)
    wait_for(lambda: gate.calls["ReceiveMessage"])

    process.send_signal(signal.SIGINT)

    assert process.wait() == 130
    assert gate.calls["ReceiveMessage"] == 1
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_ctrl_c_in_a_batch_accounts_for_every_line_that_was_sent(place: Place) -> None:
    process = place.start(CLIENT, "batch", "-")
    assert process.stdin is not None
    process.stdin.write("1,2\n1,x\n3\n")
    process.stdin.flush()
    wait_for(lambda: place.depth("requestQueue") == 2)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    assert process.returncode == 130
    assert [(row["line"], row["error"][:8]) for row in map(json.loads, out.splitlines())] == [
        (1, "Canceled"),
        (2, "Item 2 ("),
        (3, "Canceled"),
    ]
    assert err == "3 lines: 0 answered, 1 rejected (2), 2 canceled (1, 3)\n"


def test_an_answer_that_came_too_late_does_not_meet_the_next_request(place: Place) -> None:
    assert place.run(CLIENT, "send", "1", "--timeout", "1").returncode == 3
    over = time.monotonic() + 3  # by then it is too late by more than any clock's coarseness
    wait_for(lambda: time.monotonic() > over)
    place.post("responseQueue", '{"count": 99}', request_id="dead", deadline="1000", status="ok", version="1")
    worker = place.worker(WORKER)
    worker.until_logged("numbers expired")
    wait_for(lambda: place.visible("responseQueue") == 1)

    done = place.run(CLIENT, "send", "2", "--json")

    assert json.loads(done.stdout)["sum"] == 2
    wait_for(lambda: place.depth("responseQueue") == 0, what="an empty responseQueue")


def test_a_response_for_another_client_stays_for_it(place: Place) -> None:
    deadline = str(time.time() + 3600)
    place.post("responseQueue", '{"count": 99}', request_id="theirs", deadline=deadline, status="ok", version="1")
    wait_for(lambda: place.visible("responseQueue") == 1)
    place.worker(WORKER)

    done = place.run(CLIENT, "send", "2", "--json")

    assert json.loads(done.stdout)["sum"] == 2
    url = place.url("responseQueue")
    # Released, and not only left to its visibility timeout of 2 s: it is there without a wait.
    answer = place.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=0)
    (message,) = answer["Messages"]
    assert message["MessageAttributes"]["request-id"]["StringValue"] == "theirs"


@pytest.mark.parametrize("count", [35, 150])
def test_many_answers_that_nobody_takes_hold_nobody_up(place: Place, count: int) -> None:
    deadline = str(time.time() + 3600)
    for number in range(count):
        place.post("responseQueue", '{"count": 99}', request_id=f"orphan{number}", deadline=deadline, status="ok")
    wait_for(lambda: place.depth("responseQueue") == count)
    place.worker(WORKER)

    for number in range(2):
        done = place.run(CLIENT, "send", f"{number}", "--json", "--timeout", "60")
        assert json.loads(done.stdout)["sum"] == number

    assert place.depth("responseQueue") == count


def test_answers_that_came_while_nobody_read_the_output_are_not_given_up(served: Place) -> None:
    process = served.start(CLIENT, "batch", "-", "--timeout", "8")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(f"{number}\n" for number in range(1000)))
    process.stdin.close()
    process.stdin = None
    slept = time.monotonic() + 10  # a pipe full of output, and a reader that takes its time
    wait_for(lambda: time.monotonic() > slept)

    out, _ = process.communicate()

    assert process.returncode == 0
    assert [json.loads(line)["sum"] for line in out.splitlines()] == list(range(1000))


def test_what_a_hostile_worker_answers_reaches_no_terminal_raw(place: Place) -> None:
    process = place.start(CLIENT, "send", "1")
    (request,) = place.collect("requestQueue")
    request_id = request["MessageAttributes"]["request-id"]["StringValue"]

    place.post("responseQueue", '{"\x7f\u202eevil": 1, "x": "\u009b2J"}', request_id=request_id, status="ok")

    assert process.wait() == 3
    assert process.stderr is not None
    said = process.stderr.read()
    assert "response cannot be read" in said
    assert all(line.isprintable() for line in said.split("\n"))


def test_a_wait_without_a_worker_is_reported_on_stderr_and_ends_with_the_response(place: Place) -> None:
    place.post("requestQueue", "1,2")
    client = place.start(CLIENT, "send", "1,2", "--json")
    assert client.stderr is not None

    reported = [client.stderr.readline() for _ in range(3)]
    place.worker("numbers_worker.py")
    out, err = client.communicate()

    assert [line.startswith("Still waiting after ") for line in reported] == [True] * 3
    assert "at most 1 ahead" in reported[1]
    assert "./run_local.sh up" in reported[2]
    assert (json.loads(out)["sum"], err, client.returncode) == (3, "", 0)
