"""The AWS CLI without its start: processes that have loaded it once and carry out one call after another.

The CLI takes half a second of processor time to start, and the tests of the set-up make over a thousand calls. What
runs is the CLI itself, unchanged, with the caller's arguments, environment, folder and streams; only its modules and
AWS's descriptions of its services are in memory already. A plain call of an operation leaves nothing behind but what
its session has shown, which the session forgets; any other call gets a fork of its own, which costs as much again
as two calls.

    python -m tests.support.quickcli SOCKET     serves until it is ended
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.support.engines import REGION
from tests.support.forkserver import ROOT, Call, become, bind, close_streams, flushed, run, say

SOURCE = Path(__file__).with_suffix(".c")
#: The number of calls carried out at once; others wait until one ends.
PROCESSES = 6
#: A call to each service whose description and commands are read beforehand: for EC2 alone that takes half a second.
CALLS = {
    "autoscaling": "describe-auto-scaling-groups",
    "cloudwatch": "list-metrics",
    "ec2": "describe-instances",
    "iam": "list-roles",
    "s3api": "list-buckets",
    "sns": "list-topics",
    "sqs": "list-queues",
    "ssm": "describe-parameters",
    "sts": "get-caller-identity",
}
#: What makes a call of these services one that leaves something behind, or takes long.
ALONE = {"wait", "get-object", "start-session", "help", "--profile", "--debug"}
#: What a session keeps of a call.
KEPT = ("_client_config", "_config", "_credentials", "_last_client_region_used", "_profile", "_profile_map")
#: The variable that names the folder in which calls are noted.
NOTES = "AWS_CALLS"
#: What begins the name of a variable that tells a client something.
TELLING = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

#: What stands on PATH as `aws` where no compiler is: quickcli.c in Python.
SHIM = """#!{python} -ISs
import os, socket, sys
sys.path.append("{root}")
from tests.support.forkserver import Call, receive_number, send
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.connect("{path}")
send(connection, Call(arguments=sys.argv, env=dict(os.environ), folder=os.getcwd()), (0, 1, 2))
receive_number(connection)
status = receive_number(connection)
os._exit(255 if status is None else status % 256)
"""


def main(path: str) -> None:
    """Serve until SIGTERM."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    driver = create_clidriver()
    _warm(driver)
    _keep_clients(driver.session)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = bind(path)
    if all(os.fork() for _ in range(PROCESSES - 1)):
        signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    while True:
        with listener.accept()[0] as connection:
            _serve(driver, connection)


def _serve(driver: Any, connection: socket.socket) -> None:
    """Carry out a call, here or in a fork, and tell its caller the exit status."""
    try:
        call = become(connection)
    except (OSError, ValueError):
        return  # its caller was killed meanwhile
    if _is_plain(call):
        _carry_out(driver, call, connection)
    elif not os.fork():
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        _carry_out(driver, call, connection)
        os._exit(0)
    close_streams()


def _carry_out(driver: Any, call: Call, connection: socket.socket) -> None:
    say(connection, os.getpid())
    _forget(driver.session)
    sys.argv = ["aws", *call.arguments[1:]]
    status = flushed(run(lambda: sys.exit(driver.main(sys.argv[1:]) if (at := _fault(call)) is None else at)))
    close_streams()
    say(connection, status)


def _keep_clients(session: Any) -> None:
    """Have calls that would make equal clients share one: to make it is half of what a call costs."""
    create = session.create_client
    kept: dict[object, Any] = {}

    def create_client(*given: Any, **options: Any) -> Any:
        if not _needs_no_file():
            return create(*given, **options)
        settings = frozenset(
            one for one in os.environ.items() if one[0].upper().startswith(TELLING) and one[0] != NOTES
        )
        key = (given, frozenset(options.items()), settings)
        if key not in kept:
            kept[key] = create(*given, **options)
        return kept[key]

    session.create_client = create_client
    _keep_resolver(session)


def _keep_resolver(session: Any) -> None:
    """Have calls share where credentials are looked for, which begins with the environment of each.

    To prepare the other places, of which none is needed then, is a tenth of what a call costs.
    """
    create = session._create_credential_resolver
    kept: list[Any] = []

    def create_resolver() -> Any:
        if not _needs_no_file():
            return create()
        if not kept:
            kept.append(create())
        return kept[0]

    session._create_credential_resolver = create_resolver


def _needs_no_file() -> bool:
    """Whether a call's environment has all that it needs to know: no configuration, and keys."""
    return os.environ.get("AWS_CONFIG_FILE") == os.devnull and "AWS_ACCESS_KEY_ID" in os.environ


def _is_plain(call: Call) -> bool:
    """Whether it calls an operation of a service, and leaves nothing behind in the process."""
    return len(call.arguments) > 1 and call.arguments[1] in CALLS and ALONE.isdisjoint(call.arguments)


def _forget(session: Any) -> None:
    """Have the session forget earlier arguments, and what it read of another call's environment and files."""
    session._session_instance_vars.clear()
    for name in KEPT:
        setattr(session, name, None)
    session._register_credential_provider()


def _fault(call: Call) -> int | None:
    """Note the call in the folder that AWS_CALLS names, and end it as its `faults` say; return its exit status, if so.

    They are a list of {call, error, times}, or of {call, answer, times} for what AWS answers instead.
    """
    if NOTES not in call.env:
        return None
    folder = Path(call.env[NOTES])
    with (folder / "calls").open("a") as log:
        log.write(json.dumps(call.arguments[1:]) + "\n")
    with (folder / "faults").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        faults = json.load(file)
        name = " ".join(call.arguments[1:3])
        found = next((one for one in faults if one["call"] == name and one["times"]), None)
        if found is None:
            return None
        found["times"] -= 1
        file.seek(0)
        file.truncate()
        json.dump(faults, file)
    if "answer" in found:
        print(found["answer"])
        return 0
    print(found["error"], file=sys.stderr)
    return 254


def _warm(driver: Any) -> None:
    """Have in memory what every call reads: descriptions of services, endpoints and commands."""
    loader = driver.session.get_component("data_loader")
    for command, operation in CALLS.items():
        service = command.removesuffix("api")
        driver.session.create_client(service, region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-")
        for kind in ("paginators-1", "waiters-2"):
            if service in loader.list_available_services(kind):
                loader.load_service_model(service, kind)
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            driver.main([command, operation, "--generate-cli-skeleton"])


def install(folder: Path, path: str) -> Path:
    """Put an `aws` into a folder that asks the server on `path`; return the folder."""
    folder.mkdir(exist_ok=True)
    made = folder / f"aws.{os.getpid()}"
    if compiler := shutil.which("cc"):
        subprocess.run([compiler, "-O1", f'-DSOCKET="{path}"', "-o", made, SOURCE], check=True)
    else:
        made.write_text(SHIM.replace("{python}", sys.executable).replace("{path}", path).replace("{root}", str(ROOT)))
        made.chmod(made.stat().st_mode | stat.S_IXUSR)
    made.rename(folder / "aws")  # another process may do the same
    return folder


if __name__ == "__main__":
    main(sys.argv[1])
