"""The programs under a Python that is too old or lacks the packages: `python -S` has none."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from courier.cli import bootstrap

ROOT = Path(__file__).parents[3]
PROGRAMS = ("numbers_client.py", "images_client.py", "numbers_worker.py", "images_worker.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programs in a folder without .venv, whose path needs quoting."""
    made = tmp_path / "it's courier"
    shutil.copytree(ROOT / "courier", made / "courier", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*PROGRAMS, "run_local.sh", "requirements.txt"):
        shutil.copy2(ROOT / name, made)
    return made


def run(folder: Path, program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program with the packages out of reach."""
    return subprocess.run(
        [sys.executable, "-S", str(folder / program), *arguments],
        cwd=cwd or folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make_venv(folder: Path, body: str) -> None:
    """Put a program in the place of .venv's Python."""
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(body)
    python.chmod(0o755)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_wrong_options_need_no_packages(folder: Path, program: str) -> None:
    helped = run(folder, program, "--help")
    wrong = run(folder, program, "--frob")

    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith(f"usage: {program}")
    assert wrong.returncode == 2
    assert "--frob" in wrong.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_packages_a_sentence_says_how_to_get_them(folder: Path, tmp_path: Path, program: str) -> None:
    here = run(folder, program)
    elsewhere = run(folder, program, cwd=tmp_path)

    assert (here.returncode, here.stdout) == (elsewhere.returncode, elsewhere.stdout) == (2, "")
    assert here.stderr.startswith(f"{program}: ")
    assert all(name in here.stderr for name in ("boto3", "numpy", "Pillow", "rich", " ./run_local.sh setup "))
    assert here.stderr.count("\n") == 1
    assert "courier/run_local.sh' setup" in elsewhere.stderr


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("numbers_client.py", ["send", "1, 2", "-3"]), ("images_worker.py", ["--concurrency", "2"])],
)
def test_the_program_continues_under_the_python_of_the_virtual_environment(
    folder: Path, tmp_path: Path, program: str, arguments: list[str]
) -> None:
    make_venv(folder, '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')

    done = run(folder, program, *arguments, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.splitlines() == [str(folder / program), *arguments]


def test_a_virtual_environment_without_the_packages_is_tried_once(folder: Path) -> None:
    make_venv(folder, f'#!/bin/sh\necho tried\nexec "{sys.executable}" -S "$@"\n')

    done = run(folder, "numbers_worker.py")

    assert (done.returncode, done.stdout) == (2, "tried\n")
    assert "rm -r .venv; ./run_local.sh setup" in done.stderr


def test_a_virtual_environment_that_cannot_be_run_is_none(folder: Path) -> None:
    make_venv(folder, "no program\n")
    broken = run(folder, "numbers_client.py")
    (folder / ".venv/bin/python").unlink()
    (folder / ".venv/bin/python").symlink_to("/nowhere")
    dangling = run(folder, "numbers_client.py")

    assert broken.returncode == dangling.returncode == 2
    assert broken.stderr == dangling.stderr
    assert "./run_local.sh setup" in broken.stderr


def test_a_deployed_folder_names_pip_alone(folder: Path) -> None:
    (folder / "run_local.sh").unlink()

    done = run(folder, "numbers_worker.py")

    assert "run_local" not in done.stderr
    assert "pip install -r requirements.txt" in done.stderr


def test_an_old_python_is_rejected_with_both_versions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "version_info", (3, 9, 16))

    with pytest.raises(SystemExit) as raised:
        bootstrap.check_python()

    assert raised.value.code == 2
    said = capsys.readouterr().err
    assert "Python 3.11 or newer" in said
    assert "3.9.16" in said
    assert sys.executable in said


def test_an_old_python_gives_way_to_the_virtual_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_venv(tmp_path, "")
    monkeypatch.setattr(bootstrap, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "version_info", (3, 9, 16))
    replaced: list[list[str]] = []

    def replace_process(command: list[str], environment: dict[str, str]) -> None:
        assert environment[bootstrap.RERUN_VARIABLE]
        replaced.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(bootstrap, "replace_process", replace_process)
    with pytest.raises(SystemExit):
        bootstrap.check_python()

    assert replaced == [[str(tmp_path / ".venv/bin/python"), *sys.argv]]


@pytest.mark.parametrize(
    ("name", "version"),
    [("courier/__init__.py", (3, 6)), ("courier/cli/bootstrap.py", (3, 6)), *((name, (3, 7)) for name in PROGRAMS)],
)
def test_an_old_python_can_read_what_comes_before_the_check(name: str, version: tuple[int, int]) -> None:
    tree = ast.parse((ROOT / name).read_text(), feature_version=version)

    if name in PROGRAMS:
        guard = tree.body[-1]
        assert isinstance(guard, ast.If)
        assert [ast.unparse(one) for one in tree.body[1:-1]] == ["import sys", "from courier.cli import bootstrap"]
        assert ast.unparse(guard.body[0]).startswith("bootstrap.")
