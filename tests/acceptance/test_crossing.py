"""Nothing crosses: every answer reaches the one that asked."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.support import crowd
from tests.support.place import ROOT, Place, wait_for

CLIENT = "numbers_client.py"
SLOW = str(ROOT / "tests/workers/slow_numbers_worker.py")


def test_two_clients_at_once_get_their_own_twenty_answers_each(place: Place) -> None:
    place.worker("numbers_worker.py")
    clients = [place.start(CLIENT, "batch", "-") for _ in range(2)]

    for number, client in enumerate(clients):
        assert client.stdin is not None
        client.stdin.write("".join(f"{number},{line}\n" for line in range(20)))
        client.stdin.close()
        client.stdin = None

    for number, client in enumerate(clients):
        out, err = client.communicate()
        assert client.returncode == 0, err
        assert [json.loads(row)["sum"] for row in out.splitlines()] == [number + line for line in range(20)]
    wait_for(lambda: place.depth("responseQueue") == 0)


def test_a_large_batch_has_a_reply_queue_of_its_own_and_leaves_none(place: Place) -> None:
    worker = place.worker("numbers_worker.py")
    client = place.start(CLIENT, "batch", "-")
    assert client.stdin is not None
    client.stdin.write("".join(f"{line}\n" for line in range(400)))
    client.stdin.flush()
    wait_for(lambda: [url for url in _urls(place) if f"/{place.named('responseQueue-')}" in url])
    worker.until_logged("numbers ok")

    assert place.depth("responseQueue") == 0
    out, err = client.communicate()

    assert client.returncode == 0, err
    assert [json.loads(row)["sum"] for row in out.splitlines()] == list(range(400))
    assert [url for url in _urls(place) if f"/{place.named('responseQueue-')}" in url] == []


def _urls(place: Place) -> list[str]:
    return list(place.client("sqs").list_queues().get("QueueUrls", []))


def test_interactive_requests_side_by_side(place: Place) -> None:
    place.worker("numbers_worker.py")
    clients = [place.start(CLIENT, "send", f"{number}", "--json") for number in range(6)]

    sums = []
    for client in clients:
        out, err = client.communicate()
        assert client.returncode == 0, err
        sums.append(json.loads(out)["sum"])

    assert sums == list(range(6))


def test_a_request_waits_for_a_worker_that_starts_later(place: Place) -> None:
    client = place.start(CLIENT, "send", "1,2", "--json")
    wait_for(lambda: place.depth("requestQueue") == 1)

    place.worker("numbers_worker.py")

    out, _ = client.communicate()
    assert json.loads(out)["sum"] == 3


def test_a_client_gets_its_answer_once_although_its_worker_was_killed_at_work(place: Place) -> None:
    killed = place.worker(SLOW, COURIER_VISIBILITY_SECONDS="2")
    client = place.start(str(ROOT / "tests/workers/ask_slowly.py"), "slow 1.0")
    killed.until_logged("begun")
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()

    second = place.worker(SLOW)

    out, err = client.communicate()
    assert client.returncode == 0, err
    assert out == '{"count": 1}\n'
    assert second.log.count("begun") == 1
    wait_for(lambda: place.depth("requestQueue") == place.depth("responseQueue") == 0)


def test_thirty_clients_at_once_get_exactly_theirs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.worker("numbers_worker.py")
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)

    met = crowd.Crowd(trips=3, private=0.5).run()

    assert met.wrong == []
    assert met.answered == crowd.INTERACTIVE * 3 + crowd.BATCHES * crowd.BATCH_LINES
    wait_for(lambda: place.depth("responseQueue") == 0)


def test_a_batch_keeps_few_under_way_and_starves_nobody(place: Place) -> None:
    batch = place.start(CLIENT, "batch", "-", "--timeout", "60")
    assert batch.stdin is not None
    batch.stdin.write("".join(f"{line}\n" for line in range(1200)))
    batch.stdin.close()
    batch.stdin = None
    wait_for(lambda: place.depth("requestQueue") == 100)
    begun = time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 1)
    assert place.depth("requestQueue") == 100  # more wait in the client

    place.worker("numbers_worker.py")
    single = place.run(CLIENT, "send", "1,2", "--json")

    assert json.loads(single.stdout)["sum"] == 3
    assert batch.poll() is None  # it was answered amidst the batch
    out, err = batch.communicate()
    assert batch.returncode == 0, err
    assert len(out.splitlines()) == 1200
