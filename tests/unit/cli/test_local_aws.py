"""Whether a local AWS responds, and what `status` and `doctor` show when it does not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from courier.cli import local_aws, lock_file
from tests.support.engines import free_port
from tests.support.place import ROOT, WAIT_SECONDS, wait_for
from tests.support.rows import rows


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_server_that_never_answers_does_not_respond(server: socket.socket) -> None:
    assert not local_aws.responds(port_of(server), 0.1)
    assert local_aws.main([str(port_of(server)), "0.1"]) == 1


@pytest.mark.parametrize("answer", [b"HTTP/1.0 404 Not Found\r\n\r\n", b""])
def test_a_server_that_answers_or_ends_the_connection_responds(server: socket.socket, answer: bytes) -> None:
    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(answer)

    thread = Thread(target=serve)
    thread.start()

    assert local_aws.main([str(port_of(server)), str(WAIT_SECONDS)]) == 0
    thread.join()


def test_where_nothing_listens_nothing_responds() -> None:
    assert not local_aws.responds(free_port(), 1)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a process holds the lock of the local AWS."""
    hold = [sys.executable, "-IS", str(ROOT / "courier/cli/lock_file.py"), str(tmp_path), "hold", "engine"]
    with subprocess.Popen([*hold, "sleep", "600"]) as process:
        wait_for(lambda: lock_file.holder(str(tmp_path / "engine.lock")))
        yield tmp_path
        process.kill()


@pytest.mark.parametrize("verb", ["status", "doctor"])
def test_of_a_frozen_local_aws_the_processes_are_shown(local: Path, server: socket.socket, verb: str) -> None:
    env = {**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port_of(server)}", "SETUP_ANSWER_SECONDS": "0.1"}
    line = [sys.executable, "-m", "courier.cli.set_up", verb, "--json", "name=lab3", f"local={local}"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)

    found = rows(done.stdout, "aws-setup-status")
    assert (done.returncode, done.stderr) == (1, "")
    assert [(row["name"], row["state"]) for row in found] == [
        ("engine", "silent"),
        ("numbers_worker.py", "missing"),
        ("images_worker.py", "missing"),
    ]
    assert found[0]["fix"] == "./run_local.sh down; ./run_local.sh up"


def test_an_error_of_a_local_aws_that_runs_comes_after_its_processes(local: Path, server: socket.socket) -> None:
    def end_each_connection() -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    Thread(target=end_each_connection, daemon=True).start()
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
    env = {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port_of(server)}", "AWS_MAX_ATTEMPTS": "1"}
    env["SETUP_PROGRAM"] = "run_local.sh"
    line = [sys.executable, "-m", "courier.cli.set_up", "status", "--json", "name=lab3", f"local={local}"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    server.shutdown(socket.SHUT_RDWR)

    assert done.returncode == 1
    assert [json.loads(row)["state"] for row in done.stdout.splitlines()] == ["running", "missing", "missing"]
    assert done.stderr.splitlines()[-1].startswith("run_local.sh: "), done.stderr
    assert "starts with" not in done.stderr
    assert "./run_local.sh down" in done.stderr
