"""Check the Python version and the packages before a program imports anything else.

Uses only the standard library, and only syntax of Python 3.7, so that an old Python shows a message as well.
"""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

#: The oldest Python that the programs run on.
OLDEST_PYTHON = (3, 11)
#: The packages in requirements.txt, by their import names.
PACKAGES = ("boto3", "numpy", "PIL", "rich")
#: The exit status of wrong usage.
EXIT_STATUS = 2
FOLDER = Path(__file__).resolve().parents[2]
#: Set for a program that was restarted under .venv's Python, so that it does not try that again.
RERUN_VARIABLE = "COURIER_RERUN"

_is_rerun = os.environ.pop(RERUN_VARIABLE, "") != ""


def check_python() -> None:
    """Continue under .venv's Python if this one is too old; exit with a message if there is none.

    Call this before any import that an old Python cannot parse. Until the program handles signals itself, Ctrl-C ends
    it without a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.version_info >= OLDEST_PYTHON:
        return
    rerun()
    this = ".".join(map(str, sys.version_info[:3]))
    exit_with(f"{needed()} is needed, and this is Python {this} ({sys.executable}). {how_to_set_up()}")


def require_packages() -> None:
    """Continue under .venv's Python if packages are missing here; exit with a message if it lacks them, too.

    Call this after parsing the command line, so that --help and a wrong option need no packages.
    """
    missing = missing_packages()
    if missing:
        rerun()
        exit_with(f"Not installed for {sys.executable}: {', '.join(missing)}. {how_to_set_up()}")


def start_worker(description: str) -> None:
    """Check that a worker can run. If packages are missing, parses its options first, since its imports would fail."""
    check_python()
    if sys.platform == "win32":
        exit_with("The workers need Linux or macOS.")
    elif missing_packages():
        from courier.cli import daemon

        daemon.parse_options(None, description=description)
        require_packages()


def missing_packages() -> "list[str]":
    """Return the installation names of the packages that cannot be imported here."""
    return ["Pillow" if name == "PIL" else name for name in PACKAGES if find_spec(name) is None]


def venv_python() -> Path:
    """Return the path of .venv's Python, which may not exist."""
    return FOLDER / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def rerun() -> None:
    """Restart this program under .venv's Python; return if there is none, or if it was restarted already."""
    python = str(venv_python())
    if _is_rerun or not os.access(python, os.X_OK):
        return
    environment = dict(os.environ, **{RERUN_VARIABLE: "1"})
    # A framework Python on macOS sets this, and the other Python would use it.
    environment.pop("__PYVENV_LAUNCHER__", None)
    try:
        replace_process([python, *sys.argv], environment)
    except OSError:
        return


def replace_process(command: "list[str]", environment: "dict[str, str]") -> NoReturn:
    """Replace this program by `command`. Raises: OSError."""
    if os.name == "nt":
        # On Windows, exec would return the terminal to the shell at once.
        import subprocess

        sys.exit(subprocess.call(command, env=environment))  # noqa: S603  this program again
    os.execve(command[0], command, environment)  # noqa: S606  the same


def needed() -> str:
    """Return which Python is needed, for a message."""
    return f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"


def how_to_set_up() -> str:
    """Return how to install what is missing, with commands to type in this folder."""
    if not (FOLDER / "requirements.txt").exists():
        return f"With {needed()}: pip install 'courier[cli,images]'"
    requirements = f"-m pip install -r {typed('requirements.txt')}"
    if os.name == "nt" or not (FOLDER / "run_local.sh").exists():
        return f"With {needed()}: {'python' if os.name == 'nt' else 'python3'} {requirements}"
    script = typed("run_local.sh")
    if _is_rerun:
        return f"Make .venv again: rm -r {typed('.venv')}; {script} setup"
    return f"Set it up once: {script} setup   (or, with {needed()}: python3 {requirements})"


def typed(name: str) -> str:
    """Return the path of one of this folder's files, quoted for a shell in the current folder."""
    import shlex

    if os.path.realpath(os.curdir) != str(FOLDER):
        return shlex.quote(str(FOLDER / name))
    return f"./{name}" if name.endswith(".sh") else name


def exit_with(sentence: str) -> NoReturn:
    """Write `sentence` to stderr and exit."""
    sys.stderr.write(f"{Path(sys.argv[0]).name}: {sentence}\n")
    sys.exit(EXIT_STATUS)
