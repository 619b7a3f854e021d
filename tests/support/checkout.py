"""Copies of the folder for run_local.sh: the stamp of a whole .venv, and stand-ins for the programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Stands in for pip and the venv module; `-c` is requested its identity, or for what it has.
PYTHON = """\
#!/usr/bin/env bash
case "$*" in
  -c*_base_executable*) echo "{version} /stub/python{version}" ;;
  -c*ensurepip*) exit {lacks_venv} ;;
  -c*) exit {is_old} ;;
  --version) echo "Python {version}" ;;
  "-m venv"*) rm -rf "${{@: -1}}" && mkdir -p "${{@: -1}}/bin" && cp "$0" "${{@: -1}}/bin/python" ;;
  "-m pip"*)
    echo "$(basename "${{@: -1}}")" >>"{calls}"
    echo "Collecting everything"
    echo "  Downloading one-1.0-py3-none-any.whl (16.9 MB)"
    echo "  Downloading two-1.0-py3-none-any.whl (140 kB)"
    {pip}
    ;;
  *) exec "{real}" "$@" ;;
esac
"""

#: Stands in for the local AWS: it listens, and ends at SIGTERM.
ENGINE = """\
import os, socket, threading
server = socket.create_server(("127.0.0.1", int(os.environ["GATEWAY_PORT"])))
while True:
    server.accept()[0].close()
"""

#: Stands in for a worker: it says that it is ready, unless it is to end at once.
WORKER = """\
import os, signal, sys, time
print("worker begins", file=sys.stderr, flush=True)
if os.environ.get("COURIER_STAND_IN") == "ends":
    sys.exit("the reason")
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with open(sys.argv[sys.argv.index("--ready-file") + 1], "a") as file:
    file.write("ready\\n")
while True:
    time.sleep(60)
"""

#: Stands in for a client's menu.
CLIENT = """\
import os
print(f"client {os.getpid()} runs", flush=True)
while True:
    try:
        print("typed", input("client> "), flush=True)
    except KeyboardInterrupt:
        print("client interrupted", flush=True)
"""


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def stamp(folder: Path) -> str:
    """Return what run_local.sh writes of a whole environment in `folder`."""
    version = ".".join(map(str, sys.version_info[:3]))
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    runtime = ("requirements.txt", "requirements.lock", "requirements-local.txt")
    return "".join(
        [
            f"folder {folder}\n",
            f"python {version} {base}\n",
            f"local {_checksum(folder, *runtime)}",
            f"tests {_checksum(folder, *runtime, 'requirements-dev.txt')}",
        ]
    )


def _checksum(folder: Path, *names: str) -> str:
    content = b"".join((folder / name).read_bytes() for name in names)
    return subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout.decode()


def bare_copy(folder: Path) -> Path:
    """Copy what run_local.sh needs to make .venv, and no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*ROOT.glob("requirements*"), ROOT / "run_local.sh"):
        shutil.copy2(name, folder)
    for part in ("courier/cli/lock_file.py", "courier/cli/local_aws.py", "setup/output.sh"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / part, folder / part)
    return folder


def stand_in_copy(folder: Path) -> Path:
    """Copy run_local.sh into a folder where a set-up is whole and every program is a stand-in that starts at once."""
    bare_copy(folder)
    binaries = folder / ".venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    write_program(binaries / "ministack", f"#!{sys.executable} -IS\n{ENGINE}")
    write_program(binaries / "aws", "#!/bin/sh\necho 6\n")
    (folder / ".venv/.stamp").write_text(stamp(folder))
    for name in ("numbers_worker.py", "images_worker.py"):
        write_program(folder / name, WORKER)
    for name in ("numbers_client.py", "images_client.py"):
        write_program(folder / name, CLIENT)
    write_program(folder / "aws_setup.sh", "#!/bin/sh\n")
    (folder / "create-queue.json").touch()
    return folder


def processes_in(folder: Path) -> dict[int, str]:
    """Return the command lines of the processes that work in `folder` or name it, by process id."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid): args for pid, state, args in rows if str(folder) in args and state[0] != "Z"}
