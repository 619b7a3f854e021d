"""A worker that reports, and `watch` beside it: piped, as JSON, and on a terminal that it leaves well."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from typing import Any

import pexpect
import pytest

from courier.cli import watch
from tests.conftest import Place
from tests.support.place import ROOT, WorkerProcess, wait_for
from tests.support.rows import rows

pytestmark = pytest.mark.emulator
#: Into the alternate screen with a hidden cursor, and out of it.
ENTERED, LEFT = "\x1b[?1049h", "\x1b[?1049l"
HIDDEN, VISIBLE = "\x1b[?25l", "\x1b[?25h"


def begin(place: Place) -> WorkerProcess:
    place.create_queues()
    for name in ("requestQueue-dead", "imageInbox-dead"):
        place.create_queue(name)
    place.create_bucket()
    return place.worker("numbers_worker.py", "--metrics-port", "0", COURIER_STATUS_SECONDS="0.1")


def become(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be a program in that place."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in place.env.items():
        if name.startswith(("AWS_", "COURIER_", "NO_PROXY")):
            monkeypatch.setenv(name, value)


def test_a_worker_is_seen_and_scraped(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = begin(place)
    assert place.run("numbers_client.py", "send", "1,5,22").returncode == 0
    place.post("requestQueue", "1,,2", request_id="bad", Name="anna")
    worker.until_logged("bad numbers rejected (invalid)")

    (url,) = re.findall(r"metrics are served at (\S+)/metrics", worker.log)
    wait_for(lambda: 'outcome="rejected"' in _page(f"{url}/metrics"), what="a rejection in the metrics")
    assert 'courier_requests_total{application="numbers",outcome="answered",reason=""} 1.0' in _page(f"{url}/metrics")
    assert json.loads(_page(f"{url}/healthz"))["status"] == "ok"

    become(place, monkeypatch)
    (row,) = wait_for(lambda: _seen(capsys, "--once", "--json"), what="both requests in a report")
    assert [(one["application"], one["process_id"]) for one in row["workers"]] == [("numbers", worker.process.pid)]
    assert [(one["outcome"], one["name"]) for one in row["requests"]] == [("invalid", "anna"), ("ok", None)]
    assert row["applications"][0]["answered"] == 1
    assert "1,5,22" not in json.dumps(row)

    # What is no terminal gets the facts, once.
    assert watch.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "queue requestQueue: 0 waiting, 0 in flight" in lines
    assert any(line.startswith("request bad") for line in lines)

    assert worker.end() == 0
    assert place.client("s3").list_objects_v2(Bucket=place.bucket, Prefix="status/").get("Contents", []) == []


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def _seen(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert watch.main(arguments) == 0
    found = rows(capsys.readouterr().out, "watch")
    return found if len(found[0]["requests"]) == 2 else []


def test_the_terminal_shows_it_and_is_left_as_it_was(place: Place) -> None:
    begin(place)
    shell = place.shell()
    shell.setwinsize(24, 80)
    shell.expect_exact("$ ")

    start_watch(shell)
    shell.send("p")
    shell.expect_exact("paused")
    shell.send("pd")
    shell.expect_exact("imageInbox-dead: 0")
    shell.send("d?")
    shell.expect_exact("payload is ever shown")
    shell.send("?\x1b[A")  # an arrow is no key
    shell.setwinsize(20, 60)
    shell.expect_exact("1 alive")
    pause_watch(shell)
    shell.sendline("fg")
    shell.expect_exact(ENTERED)
    shell.expect_exact("1 alive")
    shell.send("q")
    check_terminal(shell, status=0)

    start_watch(shell)
    shell.sendcontrol("c")
    check_terminal(shell, status=130)

    start_watch(shell)
    pause_watch(shell)
    shell.sendline("kill -HUP %1; fg")
    check_terminal(shell, status=129)


def start_watch(shell: pexpect.spawn[str]) -> None:
    shell.sendline(f"TERM=xterm PYTHONPATH={ROOT} {sys.executable} -m courier.cli.watch")
    shell.expect_exact(ENTERED)
    shell.expect_exact("requestQueue")
    shell.expect_exact("1 alive")


def pause_watch(shell: pexpect.spawn[str]) -> None:
    shell.sendcontrol("z")
    shell.expect_exact(LEFT)
    shell.expect("[Ss]topped")
    shell.expect_exact("$ ")


def check_terminal(shell: pexpect.spawn[str], *, status: int) -> None:
    """Check that the program has ended with a status, and left the terminal as it was."""
    shell.expect_exact(LEFT)
    shell.expect_exact("$ ")
    shell.sendline("echo status=$?; stty -a")
    shell.expect(r"status=(\d+)")
    assert isinstance(shell.match, re.Match)
    assert int(shell.match[1]) == status
    shell.expect_exact(" icanon")
    shell.expect_exact(" echo ")
    shell.expect_exact("$ ")
