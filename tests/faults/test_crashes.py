"""Workers that are killed and frozen at the worst moments, and a local AWS that restarts under everybody's feet."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from courier.images.preview import sample
from tests.support.engines import Engine, fresh_account
from tests.support.gate import SERVER_ERROR, Gate
from tests.support.place import ROOT, Place, WorkerProcess, wait_for

CLIENT = "numbers_client.py"
WORKER = "numbers_worker.py"
SLOW = str(ROOT / "tests/workers/slow_numbers_worker.py")
ASK_SLOWLY = str(ROOT / "tests/workers/ask_slowly.py")


@pytest.fixture
def gate(place: Place) -> Iterator[Gate]:
    made = Gate(place.env["AWS_ENDPOINT_URL"])
    yield made
    made.close()


def response_of(asking: subprocess.Popen[str]) -> dict[str, object]:
    out, err = asking.communicate()
    assert asking.returncode == 0, err
    (line,) = out.splitlines()
    return dict(json.loads(line))


def test_a_worker_killed_between_its_answer_and_its_acknowledgement_costs_nobody_anything(
    place: Place, gate: Gate
) -> None:
    gate.fail("black_hole", "DeleteMessageBatch", seconds=60.0)
    worker = place.worker(WORKER, AWS_ENDPOINT_URL=gate.url)
    asking = place.start(CLIENT, "send", "1,2", "--json")
    wait_for(lambda: gate.calls["DeleteMessageBatch"])
    worker.process.kill()

    assert response_of(asking)["sum"] == 3
    other = place.worker(WORKER)
    other.until_logged("numbers ok")  # the same request, done again

    after = place.run(CLIENT, "send", "3,4", "--json")
    assert json.loads(after.stdout)["sum"] == 7
    wait_for(lambda: place.depth("requestQueue") == 0)


def test_workers_killed_at_random_moments_lose_nothing(place: Place) -> None:
    chance = random.Random(4)
    lines = [f"{number},{number + 1}" for number in range(200)]
    running = [place.worker(WORKER, COURIER_MAX_DELIVERIES="50") for _ in range(2)]
    batch = place.start(CLIENT, "batch", "-", "--timeout", "60")
    assert batch.stdin is not None
    batch.stdin.write("\n".join(lines))
    batch.stdin.close()
    batch.stdin = None

    for kill in range(5):
        victim, enough = running[kill % 2], chance.randrange(20)

        def has_done_enough(victim: WorkerProcess = victim, enough: int = enough) -> bool:
            return victim.log.count(" ok in ") >= enough or batch.poll() is not None

        wait_for(has_done_enough)
        victim.process.kill()
        running[kill % 2] = place.worker(WORKER, COURIER_MAX_DELIVERIES="50")

    out, err = batch.communicate()
    assert batch.returncode == 0, err
    assert [json.loads(line)["sum"] for line in out.splitlines()] == [2 * number + 1 for number in range(200)]


def test_a_worker_frozen_past_its_visibility_timeout_answers_nobody_twice(place: Place) -> None:
    frozen = place.worker(SLOW, COURIER_VISIBILITY_SECONDS="2")
    asking = place.start(ASK_SLOWLY, "slow 1")
    frozen.until_logged("begun")
    frozen.process.send_signal(signal.SIGSTOP)

    place.worker(SLOW)
    assert response_of(asking) == {"count": 1}
    frozen.process.send_signal(signal.SIGCONT)
    frozen.until_logged("numbers ok")

    after = place.run(CLIENT, "send", "3,4", "--json")
    assert json.loads(after.stdout)["sum"] == 7
    wait_for(lambda: place.depth("requestQueue") == 0)


def test_a_job_whose_heartbeat_fails_is_answered_once_all_the_same(place: Place, gate: Gate) -> None:
    gate.fail("answer", "ChangeMessageVisibilityBatch", answer=SERVER_ERROR)
    worker = place.worker(SLOW, AWS_ENDPOINT_URL=gate.url, COURIER_VISIBILITY_SECONDS="1")
    asking = place.start(ASK_SLOWLY, "slow 3")
    worker.until_logged("(renewing visibility timeouts)")

    assert response_of(asking) == {"count": 1}

    gate.heal()
    wait_for(lambda: place.depth("requestQueue") == 0)
    after = place.run(CLIENT, "send", "3,4", "--json")
    assert json.loads(after.stdout)["sum"] == 7


def test_a_worker_stopped_in_the_middle_of_an_upload_finishes_it(place: Place, gate: Gate) -> None:
    worker = place.worker("images_worker.py", AWS_ENDPOINT_URL=gate.url)
    place.client("s3").put_object(Bucket=place.bucket, Key="images/unprocessed/cat.png", Body=sample())
    gate.fail("latency", "S3:PUT", seconds=2.0)

    place.post("imageInbox", "cat.png")
    wait_for(lambda: gate.calls["S3:PUT"])
    assert worker.end() == 0

    (message,) = place.collect("imageOutbox")
    assert message["Body"] == "cat-grayscale.png"
    assert place.client("s3").head_object(Bucket=place.bucket, Key="images/processed/cat-grayscale.png")
    assert place.depth("imageInbox") == 0


def test_an_aws_that_restarts_with_its_data_loses_nobody_anything(tmp_path: Path) -> None:
    engine = Engine(name="ministack", folder=tmp_path / "engine").start()
    with ExitStack() as stack:
        stack.callback(engine.stop)
        place = Place(env=engine.environment(fresh_account()), folder=tmp_path, stack=stack)
        place.create_queues()
        place.post("requestQueue", "5,6", request_id="waiting")
        engine.stop()
        engine.start()
        worker = place.worker(WORKER)
        batch = place.start(CLIENT, "batch", "-", "--timeout", "60")
        assert batch.stdin is not None
        batch.stdin.writelines(f"{number}\n" for number in range(40))
        batch.stdin.flush()
        worker.until_logged(" ok in ")
        engine.stop()
        batch.stdin.writelines(f"{number}\n" for number in range(40, 60))
        batch.stdin.close()
        batch.stdin = None
        worker.until_logged("Waiting and retrying")
        engine.start()

        out, err = batch.communicate()

        assert batch.returncode == 0, err
        assert [json.loads(line)["sum"] for line in out.splitlines()] == list(range(60))
        assert json.loads(place.collect("responseQueue")[0]["Body"])["sum"] == 11
        assert "Traceback" not in worker.log
        wait_for(lambda: place.depth("requestQueue") == 0)


def test_a_stopping_worker_waits_for_its_own_polls_before_it_gives_anything_back(place: Place, gate: Gate) -> None:
    worker = place.worker(
        SLOW, COURIER_GRACE_SECONDS="0.5", COURIER_VISIBILITY_SECONDS="600", AWS_ENDPOINT_URL=gate.url
    )
    place.post("requestQueue", "slow 60", request_id="mine")
    worker.until_logged("begun")
    polls = gate.calls["ReceiveMessage"]
    wait_for(lambda: gate.calls["ReceiveMessage"] > polls)  # it lasts behind the gate, whatever the worker does

    assert worker.end() == 0

    # For 600 s it could not be seen, had a poll of the dead worker caught it.
    wait_for(lambda: place.visible("requestQueue") == 1, what="a message that no dead poll has caught")
