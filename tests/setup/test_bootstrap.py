"""bootstrap.sh in a scratch root, with stand-ins for tools: the first boot, and what is done each minute."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.checkout import write_program
from tests.support.place import ROOT, WAIT_SECONDS

ON_INSTANCE = ROOT / "setup" / "on_instance"
ACCOUNT = "123456789012"
#: Notes each call; fails where a file with the tool's name and "fails" says so.
TOOL = """#!/bin/sh
echo "${0##*/} $*" >>"$MACHINE_ROOT/calls"
case $* in --show*) exit 0 ;; esac
[ ! -f "$MACHINE_ROOT/${0##*/}-fails" ]
"""
#: Serves what the bucket has, to a call that names its owner.
AWS = """#!/bin/bash
echo "aws $*" >>"$MACHINE_ROOT/calls"
for last; do :; done
while (($#)); do case $1 in --key) key=$2 ;; --expected-bucket-owner) owner=$2 ;; esac; shift; done
[ "$owner" = 123456789012 ] && cp "$MACHINE_ROOT/bucket/$key" "$last" && cksum <"$last" | cut -d ' ' -f 1
"""
#: Makes environments whose Python notes its calls; its check of the code exits as the file `code-is` says.
PYTHON = """#!/bin/bash
mkdir -p "${@: -1}/bin"
cat >"${@: -1}/bin/python" <<'END'
#!/bin/bash
echo "python $*" >>"$MACHINE_ROOT/calls"
case $* in
  *check_code.py*) exit "$(cat "$MACHINE_ROOT/code-is")" ;;
  *pip*) [ ! -f "$MACHINE_ROOT/pip-fails" ] ;;
esac
END
chmod +x "${@: -1}/bin/python"
"""
UNCHANGED, CHANGED = "3", "0"


class Instance:
    """A folder that is a new instance's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "opt" / "courier"
        for folder in ("bin", "bucket/deploy", "etc"):
            (root / folder).mkdir(parents=True)
        for tool in ("dnf", "systemctl", "swapon", "mkswap", "curl"):
            write_program(root / "bin" / tool, TOOL)
        write_program(root / "bin" / "aws", AWS)
        self.env = {
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            "AWS_REGION": "us-east-1",
            "MACHINE_ACCOUNT": ACCOUNT,
            "MACHINE_BUCKET": "bucket",
            "MACHINE_HOME": str(self.home),
            "MACHINE_PYTHON": str(write_program(root / "bin" / "python", PYTHON)),
            "MACHINE_ROOT": str(root),
            "MACHINE_SWAP_MEGABYTES": "1",
            "MACHINE_USER": pwd.getpwuid(os.getuid()).pw_name,
        }
        self.is_known(CHANGED)

    def run(self, verb: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ON_INSTANCE / "bootstrap.sh"), verb],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def done(self, verb: str, **env: str) -> str:
        ended = self.run(verb, **env)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def deploy(self, lock: str = "one==1\n", unit: str = "") -> str:
        """Put code into the bucket as `aws_setup.sh deploy` does, packed under a strict umask; return its SHA-256."""
        code = self.root / "code"
        for name, text in (("requirements.lock", lock), ("courier/__init__.py", ""), ("numbers_worker.py", "")):
            (code / name).parent.mkdir(parents=True, exist_ok=True)
            (code / name).write_text(text)
        scripts = code / "setup" / "on_instance"
        scripts.mkdir(parents=True, exist_ok=True)
        for file in ON_INSTANCE.iterdir():
            if file.is_file():
                (scripts / file.name).write_bytes(file.read_bytes())
        with (scripts / "courier-worker@.service").open("a") as worker:
            worker.write(unit)
        archive = self.root / "code.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(code, ".", filter=_strict)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        archive.rename(self.root / f"bucket/deploy/courier-{found}.tar.gz")
        (self.root / "bucket/deploy/current").write_text(f"{found}  deploy/courier-{found}.tar.gz\n")
        return found

    def is_known(self, status: str) -> None:
        """Have the check of the code exit with this."""
        (self.root / "code-is").write_text(status)

    def fail(self, tool: str, *, is_on: bool = True) -> None:
        file = self.root / f"{tool}-fails"
        if is_on:
            file.touch()
        else:
            file.unlink()

    def calls(self, tool: str) -> list[str]:
        """Return the calls of a tool since the last look at any."""
        notes = self.root / "calls"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return [line.removeprefix(f"{tool} ") for line in lines if line.startswith(f"{tool} ")]

    def forget(self) -> None:
        (self.root / "calls").write_text("")

    @property
    def current(self) -> Path:
        return (self.home / "current").resolve()


def _strict(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode &= 0o700
    info.mode |= 0o100 if info.name.endswith(".sh") else 0
    return info


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


@pytest.fixture
def booted(instance: Instance) -> Instance:
    """An instance after its first boot."""
    instance.deploy()
    instance.done("launch")
    instance.done("first-boot")
    instance.forget()
    return instance


def unit_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def test_a_launch_needs_no_network_and_leaves_a_first_boot_that_is_tried_until_it_succeeds(instance: Instance) -> None:
    instance.fail("curl")

    instance.done("launch", COURIER_SCALING_GROUP="lab3-workers", COURIER_WATERMARK_TEXT="it's mine")

    unit = unit_of((instance.root / "etc/systemd/system/courier-first-boot.service").read_text())
    assert unit["Restart"] == "on-failure"
    assert unit["StartLimitIntervalSec"] == "0"
    assert unit["ConditionPathExists"] == f"!{instance.home}/ready"
    assert unit["WantedBy"] == "multi-user.target"
    assert unit["StandardOutput"] == "journal+console"
    assert unit["ExecStart"] == f"{instance.home}/bootstrap.sh first-boot"
    assert os.access(instance.home / "bootstrap.sh", os.X_OK)
    assert "enable --now --no-block courier-first-boot.service" in instance.calls("systemctl")
    assert not instance.calls("curl") + instance.calls("aws") + instance.calls("dnf")
    if analyze := shutil.which("systemd-analyze"):
        verified = subprocess.run(
            [analyze, "verify", "--man=no", instance.root / "etc/systemd/system/courier-first-boot.service"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (verified.returncode, verified.stderr) == (0, "")
    said = subprocess.check_output(["bash", "-c", f". {instance.home}/environment; echo $COURIER_WATERMARK_TEXT"])
    assert said == b"it's mine\n"


@pytest.mark.parametrize("tool", ["dnf", "pip", "curl"])
def test_a_first_boot_that_failed_is_finished_by_the_next(instance: Instance, tool: str) -> None:
    instance.deploy()
    instance.done("launch", COURIER_SCALING_GROUP="lab3-workers")
    instance.fail(tool)

    assert instance.run("first-boot").returncode == 1
    assert not (instance.home / "ready").exists()
    assert not [call for call in instance.calls("systemctl") if "courier-worker" in call]

    instance.fail(tool, is_on=False)
    assert "is ready" in instance.done("first-boot")
    assert (instance.home / "ready").exists()
    assert "enable --quiet --now courier-worker@numbers.service courier-worker@images.service" in instance.calls(
        "systemctl"
    )


def test_a_first_boot_without_code_in_the_bucket_fails_and_says_so(instance: Instance) -> None:
    instance.done("launch")

    ended = instance.run("first-boot")

    assert ended.returncode == 1
    assert "trying again" in ended.stdout


def test_another_accounts_bucket_gives_no_code(instance: Instance) -> None:
    instance.deploy()
    instance.done("launch", MACHINE_ACCOUNT="210987654321")

    assert instance.run("first-boot").returncode == 1
    assert not (instance.home / "current").exists()


def test_swap_space_is_made_once(instance: Instance) -> None:
    instance.deploy()
    instance.done("launch")

    instance.done("first-boot")
    instance.done("first-boot")

    swap = instance.root / "swapfile"
    assert swap.stat().st_size == 1024 * 1024
    assert swap.stat().st_mode & 0o777 == 0o600
    assert (instance.root / "etc/fstab").read_text() == f"{swap} none swap sw 0 0\n"


@pytest.mark.parametrize("tool", ["mkswap", "swapon"])
def test_an_instance_without_room_for_swap_space_boots_all_the_same(instance: Instance, tool: str) -> None:
    instance.deploy()
    instance.done("launch")
    instance.fail(tool)

    said = instance.done("first-boot")

    assert "no swap file" in said
    assert not list(instance.root.glob("swapfile*"))


def test_pip_takes_only_wheels_whose_hashes_are_in_the_lock_file(instance: Instance) -> None:
    instance.deploy()
    instance.done("launch")
    instance.done("first-boot")

    (call,) = [call for call in instance.calls("python") if " pip install " in f" {call}"]
    assert "--require-hashes --only-binary=:all: -r" in call
    assert call.endswith("/requirements.lock")


def test_code_that_was_packed_under_a_strict_umask_can_be_read_by_the_workers(booted: Instance) -> None:
    for path in booted.current.rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o055 & ~0o011 == 0o044, path
    assert (booted.current / "setup/on_instance/session.sh").stat().st_mode & 0o111 == 0o111


def test_all_parts_are_installed(booted: Instance) -> None:
    units = {path.name for path in (booted.root / "etc/systemd/system").iterdir()}

    assert units == {path.name for path in ON_INSTANCE.glob("courier-*")} | {"courier-first-boot.service"}
    assert (booted.root / "etc/tmpfiles.d/courier.conf").read_bytes() == (ON_INSTANCE / "tmpfiles.conf").read_bytes()
    assert os.access(booted.root / "usr/local/bin/tmux", os.X_OK)


def test_known_code_costs_one_check_and_no_call_of_the_cli(booted: Instance) -> None:
    booted.is_known(UNCHANGED)

    booted.done("update")

    assert booted.calls("aws") == []
    assert booted.calls("systemctl") == []
    assert len(booted.calls("python")) == 1


def test_the_same_code_again_restarts_nothing(booted: Instance) -> None:
    booted.done("update")

    assert booted.calls("systemctl") == []
    assert len(booted.calls("aws")) == 1


@pytest.mark.parametrize(("unit", "verb"), [("", "reload"), ("# newer\n", "restart")])
def test_new_code_renews_the_workers_and_a_new_unit_restarts_them(booted: Instance, unit: str, verb: str) -> None:
    found = booted.deploy(lock="one==2\n", unit=unit)

    said = booted.done("update")

    assert f"code {found[:12]} is active" in said
    assert booted.current.name == found
    changes = [call for call in booted.calls("systemctl") if "courier-worker" in call]
    assert changes == [f"{verb} courier-worker@numbers.service courier-worker@images.service"]


def test_new_code_that_cannot_be_installed_leaves_the_old_one_and_is_tried_again(booted: Instance) -> None:
    before, known = booted.current, (booted.home / "etag").read_text()
    booted.deploy(lock="one==2\n")
    booted.fail("pip")

    assert booted.run("update").returncode == 1
    assert (booted.current, (booted.home / "etag").read_text()) == (before, known)

    booted.fail("pip", is_on=False)
    booted.done("update")
    assert booted.current != before
    assert (booted.home / "etag").read_text() != known


def test_spoiled_code_is_ignored(booted: Instance) -> None:
    before = booted.current
    found = booted.deploy(lock="one==2\n")
    (booted.root / f"bucket/deploy/courier-{found}.tar.gz").write_bytes(b"not that")

    ended = booted.run("update")

    assert ended.returncode == 1
    assert "does not match deploy/current" in ended.stdout
    assert booted.current == before


def test_old_releases_go_and_so_do_the_environments_that_only_they_used(booted: Instance) -> None:
    for number in range(2, 6):
        booted.deploy(lock=f"one=={number}\n")
        booted.done("update")

    releases, venvs = list((booted.home / "releases").iterdir()), list((booted.home / "venvs").iterdir())
    assert len(releases) == len(venvs) == 3
    assert {release.joinpath(".venv").resolve() for release in releases} == set(venvs)


def test_long_logs_are_rotated_and_short_ones_are_not(booted: Instance) -> None:
    logs = booted.root / "var/log/courier"
    logs.mkdir(parents=True)
    long, short = logs / "numbers_worker.py.log", logs / "images_worker.py.log"
    short.write_text("short\n")
    for _ in range(3):
        with long.open("w") as file:
            file.truncate(20_000_001)
        booted.is_known(UNCHANGED)
        booted.done("update")

    assert short.read_text() == "short\n"
    assert {path.name: path.stat().st_size for path in logs.iterdir()} == {
        short.name: 6,
        long.name: 0,
        f"{long.name}.1": 20_000_001,
        f"{long.name}.2": 20_000_001,
    }


def test_wrong_usage_is_said(instance: Instance) -> None:
    ended = instance.run("frob")

    assert ended.returncode == 2
    assert "usage: bootstrap.sh" in ended.stdout
