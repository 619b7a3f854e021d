"""The AWS CLI without its start: a server that has loaded it once and gives each call a fork of its own.

The CLI takes half a second of processor time to start, and the tests of the set-up make hundreds of calls. What runs
is the CLI itself, unchanged, with the caller's arguments, environment, folder and streams; only its modules and AWS's
descriptions of its services are in memory already.

    python -m tests.support.quickcli SOCKET     serves until it is ended
"""

from __future__ import annotations

import gc
import os
import stat
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.support.engines import REGION
from tests.support.forkserver import DIGITS, Server, finish

#: A call to each service whose description and commands are read beforehand: for EC2 alone that takes half a second.
CALLS = {
    "autoscaling": "describe-auto-scaling-groups",
    "cloudwatch": "list-metrics",
    "ec2": "describe-instances",
    "iam": "list-roles",
    "s3api": "list-buckets",
    "sqs": "list-queues",
    "ssm": "describe-parameters",
    "sts": "get-caller-identity",
}

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
call = repr((sys.argv, dict(os.environ), os.getcwd(), False)).encode()
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect("{path}")
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
connection.sendmsg([b"%{digits}d" % len(call)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
connection.sendall(call)
said = b""
while more := connection.recv(64):
    said += more
os._exit(int(said[{digits}:] or b"255") % 256)
"""


def main(path: str) -> None:
    """Serve; in each fork, carry out the call."""
    from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

    driver = create_clidriver()
    _warm(driver)
    gc.disable()  # no call lives long enough to need it
    call = Server(path).serve()
    sys.argv = ["aws", *call.arguments[1:]]
    finish(lambda: sys.exit(driver.main(sys.argv[1:])))


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
    # What it has read of this process's environment is not the caller's.
    driver.session._config = None


def install(folder: Path, path: str) -> Path:
    """Put an `aws` into a folder that asks the server on `path`; return the folder."""
    folder.mkdir(exist_ok=True)
    program = folder / "aws"
    made = program.with_suffix(f".{os.getpid()}")
    text = SHIM.replace("{python}", sys.executable).replace("{path}", path).replace("{digits}", str(DIGITS))
    made.write_text(text)
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    made.rename(program)  # another process may do the same
    return folder


if __name__ == "__main__":
    main(sys.argv[1])
