"""What aws_setup.sh does around a boot: CPU credits, and the progress that it shows; the parts alone, in bash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.setup.test_aws_setup import ACCOUNT, NO_BUCKET, NO_QUEUES, Stub, env, stub, value_of
from tests.support.place import ROOT, WAIT_SECONDS

__all__ = ["env", "stub"]
#: The settings of the parts, and AWS calls that are only printed.
PRELUDE = """
set -o errexit -o nounset -o pipefail
here=$PWD name=lab3 instance_type=t3.micro made_id= is_new_group=true retry_seconds=3 pause_seconds=1 dry=false
is_lab=false no_ssh=false is_real=true scratch=$SCRATCH
. setup/common.sh; . setup/instance.sh; . setup/autoscaling.sh; proof_seconds=900; . setup/proof.sh
is_real() { $is_real; }
aws_apply() { echo "aws $*"; }
"""
ONE = ["i-1\trunning\t1.2.3.4\tt3.micro\trequired\tlab3-key", "", 0]
LAUNCHED = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "ec2 run-instances": ["i-1", "", 0]}


def parts(tmp_path: Path, script: str, **env: str) -> str:
    return subprocess.run(
        ["bash", "-c", PRELUDE + script],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "SCRATCH": str(tmp_path), **env},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("kind", "credit"), [("t3.micro", "CpuCredits=unlimited"), ("t4g.small", "CpuCredits=unlimited"), ("m5.large", "")]
)
def test_an_instance_is_launched_with_credits_for_its_boot(stub: Stub, kind: str, credit: str) -> None:
    stub.run("up", "--type", kind, "--ssh-cidr", "1.2.3.4", answers=LAUNCHED, SETUP_PROOF="0")

    arguments = stub.options("ec2 run-instances")
    assert ("--credit-specification" in arguments) == bool(credit)
    assert not credit or value_of("--credit-specification", arguments) == credit


def test_a_lab_has_no_unlimited_credits(stub: Stub) -> None:
    lab = {"sts get-caller-identity": ["123456789012\tarn:aws:sts::123456789012:assumed-role/voclabs/me", "", 0]}

    stub.run("up", "--type", "t3.micro", "--ssh-cidr", "1.2.3.4", answers={**LAUNCHED, **lab}, SETUP_PROOF="0")

    assert value_of("--credit-specification", stub.options("ec2 run-instances")) == "CpuCredits=standard"


@pytest.mark.parametrize(("found", "changes"), [("i-1", 1), ("None", 0)])
def test_a_plan_says_that_bursts_end(stub: Stub, found: str, changes: int) -> None:
    known = {"ec2 describe-instances": ONE, "ec2 describe-instance-credit-specifications": [found, "", 0]}

    done = stub.run("plan", "--ssh-cidr", "1.2.3.4", answers={**LAUNCHED, **known})

    wanted = "aws ec2 modify-instance-credit-specification --instance-credit-specifications"
    assert done.stdout.count(f"{wanted} InstanceId=i-1,CpuCredits=standard") == changes


def test_only_instances_that_can_burst_are_limited(tmp_path: Path) -> None:
    script = """
    find_instance() { printf '%s\\trunning\\t-\\t%s\\n' i-1 t3.micro i-2 m5.large i-3 t4g.small; }
    aws_lookup() { echo "$*" >&3; printf 'i-1\\ti-3\\n'; }
    limit_bursts 3>&1
    """

    said = parts(tmp_path, script).splitlines()

    assert "--instance-ids i-1 i-3 " in said[0]
    assert [line.rpartition(" ")[2] for line in said[1:]] == [
        "InstanceId=i-1,CpuCredits=standard",
        "InstanceId=i-3,CpuCredits=standard",
    ]


@pytest.mark.parametrize("is_new", ["true", "false"])
def test_the_first_instances_of_a_new_group_burst_until_the_proof(tmp_path: Path, is_new: str) -> None:
    script = """
    is_new_group=$IS_NEW
    sleep() { touch "$scratch/slept"; }
    find_instance() { [[ ! -f $scratch/slept ]] || printf 'i-1\\trunning\\t-\\tt3.micro\\n'; }
    lift_limits
    """

    said = parts(tmp_path, script, IS_NEW=is_new)

    assert said.count("InstanceId=i-1,CpuCredits=unlimited") == (is_new == "true")


def test_a_group_without_instances_is_not_waited_for_without_end(tmp_path: Path) -> None:
    assert parts(tmp_path, "sleep() { :; }; find_instance() { :; }; lift_limits") == ""


@pytest.mark.parametrize("is_group", ["false", "true"])
def test_the_progress_of_a_boot_is_shown_as_it_comes_and_each_line_once(tmp_path: Path, is_group: str) -> None:
    lines = [
        "[   9.1] cloud-init[1]: something else",
        "[  10.2] bootstrap.sh[812]: 2026-11-29T10:00:01Z bootstrap.sh: making a swap file\r",
        "2026-11-29T10:00:20Z bootstrap.sh: installing packages",
        "[  99.9] bootstrap.sh[812]: 2026-11-29T10:01:00Z bootstrap.sh: the instance is ready",
    ]
    # Each look finds one line more; the first two looks are too early, and after the last one this script ends.
    script = """
    [[ $IS_GROUP == true ]] || made_id=i-1 is_new_group=false
    find_instance() { printf 'i-1\\trunning\\ni-2\\trunning\\n'; }
    printf 0 >"$scratch/looks"
    aws_try() {
      [[ $* != *--latest* ]] || { echo "$*" >>"$scratch/latest"; return 1; }
      local looks=$(($(<"$scratch/looks") + 1))
      printf %s "$looks" >"$scratch/looks"
      ((looks > 1)) || return 1
      head -n $((looks - 1)) "$scratch/console"
    }
    sleep() { (($(<"$scratch/looks") < 8)) || exit 0; }
    (show_boot)
    """
    (tmp_path / "console").write_text("\n".join(lines) + "\n")

    said = parts(tmp_path, script, IS_GROUP=is_group)

    assert said.splitlines() == [
        "instance: 2026-11-29T10:00:01Z making a swap file",
        "instance: 2026-11-29T10:00:20Z installing packages",
        "instance: 2026-11-29T10:01:00Z the instance is ready",
    ]
    assert "--instance-id i-1" in (tmp_path / "latest").read_text()


def test_an_instance_that_was_there_before_is_not_watched(tmp_path: Path) -> None:
    assert parts(tmp_path, "is_new_group=false; aws_try() { echo called; }; show_boot") == ""


@pytest.mark.parametrize("why", ["no proof", "no Python"])
@pytest.mark.parametrize("made", ["i-1", ""])
def test_without_a_proof_only_an_instance_that_was_there_before_is_limited(tmp_path: Path, why: str, made: str) -> None:
    script = """
    made_id=$MADE is_new_group=false proof_seconds=$PROOF
    find_python() { return 1; }
    limit_bursts() { echo "limited"; }
    prove
    """

    said = parts(tmp_path, script, MADE=made, PROOF="0" if why == "no proof" else "900")

    assert ("limited" in said) == (made == "")
    assert ("no request was sent" in said) == (why == "no Python")


def test_a_proof_that_fails_stops_watching_and_exits_with_1(tmp_path: Path) -> None:
    script = """
    made_id=i-1 is_new_group=false
    find_python() { say python; }
    use_account() { echo "No response."; return 1; }
    limit_bursts() { echo "limited"; }
    show_boot() { exec sleep 60; }
    (prove) || echo "exited with $?"
    """

    said = parts(tmp_path, script)

    assert "exited with 1" in said
    assert said.index("limited") < said.index("exited with 1")
    assert "up to 900 s" in said
