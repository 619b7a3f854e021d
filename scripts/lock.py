"""Write requirements.lock: the exact versions and hashes of what the programs need at run time.

    python -m scripts.lock

The instance installs these, and so does ./run_local.sh setup before anything else: what runs is what was tested.
requirements.txt says what is allowed, and the pins of requirements-local.txt what the local AWS allows. One version of
each package for all Pythons; wheels only.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = "# Exact versions of requirements.txt, with hashes. Written by: python -m scripts.lock\n"
#: The oldest Python that the programs run on.
OLDEST = "3.11"
OPTIONS = (
    "--universal --fork-strategy fewest --only-binary :all: --generate-hashes "
    "--upgrade --quiet --no-header --no-annotate"
)
_PIN = re.compile(r"^[\w.-]+==\S+$", re.MULTILINE)


def pins() -> str:
    """Return the exact versions that the local AWS asks for."""
    return "\n".join(_PIN.findall((ROOT / "requirements-local.txt").read_text()))


def main() -> None:
    """Resolve in an environment of its own, and write the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = str(folder / "venv" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv~=0.13"], check=True)
        constraints = folder / "pins.txt"
        constraints.write_text(pins())
        compile_it = [python, "-m", "uv", "pip", "compile", *OPTIONS.split(), "--python-version", OLDEST]
        given = ["--constraints", str(constraints), "requirements.txt"]
        locked = subprocess.run([*compile_it, *given], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    LOCK.write_text(HEADER + locked)


if __name__ == "__main__":
    main()
