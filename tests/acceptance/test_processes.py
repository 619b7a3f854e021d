"""A worker of several processes: one log, one end, as many idle polls as one, and nothing lost with one of them."""

from __future__ import annotations

import json
import os
import re
import signal
import time

from tests.support.place import Place, WorkerProcess, wait_for

WORKER = "numbers_worker.py"
CLIENT = "numbers_client.py"
#: A line of the log: the process, and what it says.
LINE = re.compile(r"\S+Z (?:INFO|WARNING) +\[(\d+)\] (.+)")


def said(worker: WorkerProcess) -> list[tuple[int, str]]:
    """Return the lines of a log, by process; every line is whole."""
    found = [LINE.fullmatch(line) for line in worker.log.splitlines()]
    assert all(found), worker.log
    return [(int(line[1]), line[2]) for line in found if line]


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_processes_share_the_work_poll_as_one_when_idle_and_end_as_one(place: Place) -> None:
    gate = place.gate()
    worker = place.worker(WORKER, "--processes", "2", AWS_ENDPOINT_URL=gate.url, COURIER_POLL_SECONDS="1")
    polls, started = gate.calls["ReceiveMessage"], time.monotonic()
    wait_for(lambda: gate.calls["ReceiveMessage"] >= polls + 4)
    assert time.monotonic() - started > 2.5  # four polls of 1 s one after another, and not two by two

    gate.fail("latency", seconds=0.02)
    lines = [f"{number},{number + 1}" for number in range(300)]
    batch = place.run(CLIENT, "batch", "-", text="\n".join(lines))
    assert batch.returncode == 0, batch.stderr
    assert worker.end() == 0

    workers = {process for process, text in said(worker) if " ok in " in text}
    assert len(workers) == 2
    listens, *ends = [text for process, text in said(worker) if process not in workers]
    assert listens.endswith(f"{place.named('requestQueue')} in 2 processes")
    assert ends == ["stopping: SIGTERM", "stopped"]
    assert not any(map(is_running, workers))


def test_nothing_is_lost_when_one_of_them_or_what_supervises_them_is_killed(place: Place) -> None:
    gate = place.gate()
    worker = place.worker(WORKER, "--processes", "2", AWS_ENDPOINT_URL=gate.url)
    gate.fail("latency", seconds=0.05)
    batch = place.start(CLIENT, "batch", "-", "--timeout", "100")
    assert batch.stdin is not None
    batch.stdin.write("\n".join(f"{number},{number + 1}" for number in range(300)))
    batch.stdin.close()
    batch.stdin = None
    wait_for(lambda: {process for process, text in said(worker) if " ok in " in text})
    victim = next(process for process, text in said(worker) if " ok in " in text)

    os.kill(victim, signal.SIGKILL)
    worker.until_logged("was ended by SIGKILL; restarting in")
    wait_for(lambda: {process for process, text in said(worker) if " ok in " in text} - {victim})
    worker.process.kill()
    worker.process.wait()
    place.worker(WORKER)

    out, err = batch.communicate()
    assert batch.returncode == 0, err
    assert [json.loads(line)["sum"] for line in out.splitlines()] == [2 * number + 1 for number in range(300)]
    wait_for(lambda: place.depth("requestQueue") == 0)
    others = {process for process, _ in said(worker)} - {worker.process.pid, victim}
    wait_for(lambda: not any(map(is_running, others)))


def test_a_wrong_setting_is_said_once_and_images_have_no_such_processes(place: Place) -> None:
    wrong = place.run(WORKER, "--processes", "2", env={"COURIER_MAX_DELIVERIES": "1"})
    assert (wrong.returncode, wrong.stderr.count("COURIER_MAX_DELIVERIES")) == (2, 1)

    keyless = place.run(WORKER, "--processes", "2", env={"AWS_ACCESS_KEY_ID": "a\tb"})
    assert keyless.returncode == 4
    assert "stopping: the first worker process ended with status 4 before it listened" in keyless.stderr

    images = place.run("images_worker.py", "--processes", "2")
    assert images.returncode == 2
    assert "an images worker has an image process per core" in images.stderr
