"""The four programs without their start: forks of a process that has loaded all they import.

    python -m tests.support.quickprograms SOCKET     serves until it is ended

A call whose environment says something to Python's own start, such as the encoding of its streams, is a process of its
own all the same: a fork has that behind it.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import subprocess
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import descriptions
from tests.support.engines import REGION
from tests.support.forkserver import ROOT, Fork, Server, finish

PROGRAMS = ("numbers_client", "numbers_worker", "images_client", "images_worker")
#: What else the programs import, as they need it, and what measures them.
LIBRARIES = (
    *("boto3", "boto3.s3.inject", "boto3.s3.transfer", "s3transfer.manager", "s3transfer.processpool", "coverage"),
    *("numpy", "PIL.Image", "PIL.ImageCms", "PIL.ImageDraw", "PIL.ImageFilter", "PIL.ImageFont", "PIL.ImageOps"),
    *("rich.console", "rich.live", "rich.progress", "rich.status", "rich.table", "concurrent.futures.thread"),
    *("encodings.idna", "stringprep"),
)
#: A call to each service that the programs use.
CALLS: dict[str, Callable[[Any], object]] = {
    "autoscaling": lambda client: client.describe_auto_scaling_groups(),
    "cloudwatch": lambda client: client.list_metrics(),
    "s3": lambda client: client.list_objects_v2(Bucket="nothing"),
    "sqs": lambda client: client.receive_message(QueueUrl="http://127.0.0.1:1/nothing"),
    "sts": lambda client: client.get_caller_identity(),
}
#: What Python reads at its start, but for where modules are, which a fork can still be given.
STARTING = ("PYTHON", "LC_", "LANG")
MODULES = "PYTHONPATH"


def main(path: str) -> None:
    """Serve; in each fork, run the program that was called as the main one."""
    _load()
    call = Server(path).serve()
    sys.argv = call.arguments[1:]
    sys.orig_argv = [sys.executable, *sys.argv]
    program = Path(sys.argv[0])
    sys.path[0:1] = [str(program.parent), *filter(None, call.env.get(MODULES, "").split(os.pathsep))]
    gc.enable()
    _measure()
    code = _compiled(program, program.stat().st_mtime_ns)
    finish(lambda: exec(code, _main_module(program).__dict__))  # noqa: S102  what this is for


def _load() -> None:
    """Import what any of the programs imports at any time, and read AWS's descriptions of its services."""
    import courier

    for name in (*LIBRARIES, *PROGRAMS, *(one.name for one in pkgutil.walk_packages(courier.__path__, "courier."))):
        importlib.import_module(name)
    from PIL import Image
    from rich.cells import cell_len

    Image.init()
    cell_len("─")
    descriptions.read_once()
    _rehearse()
    for name in PROGRAMS:
        path = ROOT / f"{name}.py"
        _compiled(path, path.stat().st_mtime_ns)


def _rehearse() -> None:
    """Make a call to each service, which nobody answers: it leaves in memory what calls have in common."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import EndpointConnectionError

    for service, call in CALLS.items():
        client = boto3.Session().client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            aws_access_key_id="-",
            aws_secret_access_key="-",
            endpoint_url="http://127.0.0.1:1",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with suppress(EndpointConnectionError):
            call(client)
        client.close()


@cache
def _compiled(program: Path, _changed: int) -> types.CodeType:
    return compile(program.read_bytes(), str(program), "exec", dont_inherit=True)


def _main_module(program: Path) -> types.ModuleType:
    module = types.ModuleType("__main__")
    module.__file__ = str(program)
    sys.modules["__main__"] = module
    return module


def _measure() -> None:
    """Measure this fork's coverage, if the environment says so, as Python does at its start."""
    from coverage import process_startup

    process_startup()


# The caller


class Forks:
    """Where this process has its programs forked."""

    #: The server's socket, once there is one.
    server: str | None = None


def can_fork(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a program can be a fork: there is a server, and Python would start as it did there."""
    return bool(Forks.server) and command[0] == sys.executable and _said_to_python(env) == _said_to_python(os.environ)


def _said_to_python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(STARTING) and name != MODULES}


def popen(command: Sequence[str], *, env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
    """Start one of the programs as subprocess.Popen does: as a fork if it can be one."""
    if Forks.server and can_fork(command, env):
        return Fork(Forks.server, command, env=env, **options)
    return subprocess.Popen(command, env=env, **options)


if __name__ == "__main__":
    main(sys.argv[1])
