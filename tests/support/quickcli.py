"""The AWS CLI without its start: a server that has loaded it once and gives each call a fork of its own.

The CLI takes half a second of processor time to start, and the tests of the set-up make hundreds of calls. What runs
is the CLI itself, unchanged, with the caller's arguments, environment, folder and streams; only its modules and AWS's
descriptions of its services are in memory already.

    python -m tests.support.quickcli SOCKET     serves until it is ended
"""

from __future__ import annotations

import ast
import gc
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from tests.support.engines import REGION, unmeasured

ROOT = Path(__file__).parents[2]
#: Services whose descriptions are read beforehand: reading that of EC2 alone takes half a second.
SERVICES = ("autoscaling", "cloudwatch", "ec2", "iam", "s3", "sqs", "ssm", "sts")
#: The greatest size of a call: arguments and environment.
CALL_BYTES = 1 << 20

#: What stands on PATH as `aws`, with as few imports as can be: it hands everything on and ends as the call ends. In
#: the folder that AWS_CALLS names it notes each call in `calls`, and answers with errors as `faults` says, a list of
#: {call, error, times}.
SHIM = """#!{python} -ISs
import _socket, os, sys

def fault(folder):
    import fcntl, json
    with open(os.path.join(folder, "calls"), "a") as log:
        log.write(json.dumps(sys.argv[1:]) + "\\n")
    with open(os.path.join(folder, "faults"), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        faults = json.load(file)
        found = next((one for one in faults if one["call"] == " ".join(sys.argv[1:3]) and one["times"]), None)
        if found:
            found["times"] -= 1
            file.seek(0)
            file.truncate()
            json.dump(faults, file)
        return found

found = "AWS_CALLS" in os.environ and fault(os.environ["AWS_CALLS"])
if found:
    print(found["error"], file=sys.stderr)
    sys.exit(254)
call = repr([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect("{path}")
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
connection.sendmsg([b"%8d" % len(call)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
connection.sendall(call)
os._exit(int(connection.recv(8) or b"255"))
"""


def serve(path: str) -> None:
    """Serve calls on a socket until this process is ended."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    driver = create_clidriver()
    _warm(driver)
    gc.freeze()
    gc.disable()  # no call lives long enough to need it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(64)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(connection, driver)
            connection.close()


def _warm(driver: Any) -> None:
    """Have in memory what every call reads: descriptions of services, endpoints and commands."""
    loader = driver.session.get_component("data_loader")
    for service in SERVICES:
        driver.session.create_client(service, region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-")
        for kind in ("paginators-1", "waiters-2"):
            if service in loader.list_available_services(kind):
                loader.load_service_model(service, kind)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        driver.main(["sqs", "list-queues", "--generate-cli-skeleton"])
    # What it has read of this process's environment is not the caller's.
    driver.session._config = None


def _answer(connection: socket.socket, driver: Any) -> None:
    """Carry out one call in this process, which ends with it."""
    status = 255
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        length, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
        text = b""
        while len(text) < int(length):
            text += connection.recv(CALL_BYTES)
        arguments, env, folder = ast.literal_eval(text.decode())
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        status = _call(driver, arguments)
    finally:
        connection.sendall(b"%d" % status)
        os._exit(0)


def _call(driver: Any, arguments: list[str]) -> int:
    sys.argv = ["aws", *arguments]
    try:
        return int(driver.main(arguments) or 0)
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


@contextmanager
def quick_cli(folder: Path) -> Iterator[Path]:
    """Serve while the caller works; give the folder to put before all others on PATH."""
    path = folder / "socket"
    program = folder / "bin" / "aws"
    program.parent.mkdir(parents=True)
    program.write_text(SHIM.replace("{python}", sys.executable).replace("{path}", str(path)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.quickcli", str(path)], cwd=ROOT, env=unmeasured(os.environ)
    )
    try:
        while not path.exists():
            assert server.poll() is None, "the AWS CLI's server ended at once"
            time.sleep(0.02)
        yield program.parent
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    serve(sys.argv[1])
