"""What pip installs: built, put into an environment of its own, and used from elsewhere."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from functools import partial
from pathlib import Path

import pytest

from tests.support.place import ROOT, WAIT_SECONDS
from tests.support.shared import Shared

COMMANDS = ("courier-numbers", "courier-images", "courier-numbers-worker", "courier-images-worker")

SCRIPT = "from courier.cli import scripts; sys.exit(scripts.numbers())"


@pytest.fixture(scope="module")
def built(shared_servers: Shared) -> Path:
    """A folder with the wheel and the source distribution."""
    return shared_servers.made("built", build)


def build(folder: Path) -> None:
    # A copy, since setuptools leaves its own files beside what it builds.
    copy = folder / "copy"
    files = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).split("\n")
    for name in files:
        if name.startswith("courier/") or name in {"pyproject.toml", "README.md", "LICENSE"}:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    code = (
        "from setuptools import build_meta as built; import sys; folder = sys.argv[1]; "
        "built.build_wheel(folder); built.build_sdist(folder)"
    )
    subprocess.run([sys.executable, "-c", code, folder], cwd=copy, check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(built: Path, shared_servers: Shared) -> Path:
    """Where the commands of an environment are that has the wheel, and the packages of this one."""
    return shared_servers.made("installed", partial(install, built)) / "bin"


def install(built: Path, folder: Path) -> None:
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "others.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    (wheel,) = built.glob("*.whl")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / "bin/python"),
        "install",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, timeout=WAIT_SECONDS)


def test_a_wheel_has_the_packages_and_their_types_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("courier-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    modules = ("messaging/worker.py", "testing/sqs.py", "cli/scripts.py", "py.typed")
    assert {f"courier/{name}" for name in modules} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"courier"}
    assert list(built.glob("courier-*.tar.gz"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_from_anywhere(installed: Path, tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [installed / command, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {command}")


def test_the_package_says_its_version_and_loads_no_large_library(installed: Path, tmp_path: Path) -> None:
    code = "import courier, sys; print(courier.__version__, {'boto3', 'numpy', 'PIL', 'rich'} & sys.modules.keys())"

    said = subprocess.check_output([installed / "python", "-c", code], cwd=tmp_path, text=True, timeout=WAIT_SECONDS)

    assert said == "0.2.0 set()\n"


def test_a_command_that_lacks_packages_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-S", "-c", "import sys; sys.path.append(sys.argv.pop(1)); " + SCRIPT]
    (package,) = installed.parent.glob("lib/*/site-packages")

    done = subprocess.run(
        [*command, str(package), "send", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert "courier[cli,images]" in done.stderr
