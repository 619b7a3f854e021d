"""The virtual environment of the peers: made once, and again when what it needs has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from bench.throughput import ROOT

REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "bench/requirements-peers.txt")

#: The first version on which all peers run: fanferro needs it.
NEEDED = (3, 12)


def interpreter() -> str:
    """Return an interpreter on which all peers run, or, if there is none, this one."""
    if sys.version_info >= NEEDED:
        return sys.executable
    found = shutil.which("python3.12")
    # A version manager's shim may stand for an interpreter that it does not offer here.
    is_there = found and not subprocess.run([found, "--version"], capture_output=True, check=False).returncode
    return found if found and is_there else sys.executable


def python_of(folder: Path, interpreter: str) -> Path:
    """Return the Python of the environment in `folder`, with everything installed."""
    stamp, python = folder / "installed", folder / "bin/python"
    wanted = hashlib.sha256(interpreter.encode() + b"".join(path.read_bytes() for path in REQUIREMENTS)).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
        options = [option for path in REQUIREMENTS for option in ("-r", str(path))]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *options], check=True)
        stamp.write_text(wanted)
    return python


def versions(python: Path) -> dict[str, str]:
    """Return what is installed there of what is compared, and the interpreter."""
    names = ["celery", "dramatiq", "dramatiq-sqs", "fanferro", "sqs-workers", "taskiq", "taskiq-aio-sqs", "boto3"]
    program = (
        "import json, platform, sys; from importlib.metadata import distributions;"
        "found = {d.name.lower().replace('_', '-'): d.version for d in distributions()};"
        "print(json.dumps({'Python': platform.python_version(), **{n: found[n] for n in sys.argv[1:] if n in found}}))"
    )
    done = subprocess.run([python, "-c", program, *names], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
