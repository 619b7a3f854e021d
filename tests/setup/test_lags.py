"""What AWS does not know yet, or still knows, for some seconds: `up` ends well all the same.

Every lag at once is in test_whole_setup.py; here each is alone, and so are the functions that wait.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support import lags
from tests.support.engines import Engine
from tests.support.place import ROOT

#: An `up` for each lag takes some minutes.
EACH = os.environ.get("EVERY_LAG", "")
#: What stands before a script: the variables that aws_setup.sh sets, and an AWS that says what AWS_SAYS has, one answer
#: a call, each as `STATUS TEXT`; it goes on with the last.
HEAD = """
set -o errexit -o nounset -o pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
retry_seconds=2 pause_seconds=0.1 region=us-east-1 account=1 profile="" partition=aws name=lab3 dry=false
known_urls="" begun=() lanes=() queue_names=(a b c d) served_names=(a c) dead_names=(a-dead c-dead) max_deliveries=5
dead_seconds=1209600 attributes_file=create-queue.json most_lanes=16 as_json=false no_ssh=false ssh_cidr=""
: >"$scratch/changes"
for part in common queues network bucket; do . "setup/$part.sh"; done
printf '%s\\n' "$AWS_SAYS" >"$scratch/says"
aws_try() {
  local said
  printf '%s\\n' "$*" >>"$scratch/calls"
  said=$(sed -n 1p "$scratch/says")
  [[ $(wc -l <"$scratch/says") -eq 1 ]] || sed -i 1d "$scratch/says"
  if [[ ${said%% *} == 0 ]]; then printf '%s\\n' "${said#* }"; else printf '%s\\n' "${said#* }" >&2; fi
  return "${said%% *}"
}
"""


def bash(script: str, *says: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the functions of aws_setup.sh, and an AWS that says this."""
    return subprocess.run(
        ["bash", "-c", HEAD + script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/", "AWS_SAYS": "\n".join(says)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [*lags.LAGS, *lags.LAGS_OF_A_GROUP, *lags.LAGS_OF_ITS_END, ("iam attach-role-policy", lags.NO_ROLE)],
)
def test_what_passes_is_waited_for(call: str, error: str) -> None:
    done = bash(f"aws_require {call}; cat $scratch/calls", f"254 {error}", "0 made")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["made", call, call]
    assert "Waiting, up to" in done.stderr


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ("iam get-policy-version", lags.NO_ROLE, "AWS knows nothing of a resource that iam:get-policy-version needs"),
        ("sts get-caller-identity", 'Connect timeout on endpoint URL: "https://x"', "cannot be reached"),
        ("ec2 run-instances", "(InvalidAMIID.NotFound) when calling X: no image", "AWS knows nothing of"),
        ("s3api create-bucket", "(BucketAlreadyExists) when calling X", "belongs to another account"),
        ("sts get-caller-identity", "Error loading SSO Token: Token for x does not exist", "aws sso login"),
        (
            "sts get-caller-identity",
            "Error when retrieving token from sso: Token has expired and refresh failed",
            "aws sso",
        ),
        ("sts get-caller-identity", "The SSO session associated with this profile has expired", "aws sso login"),
        ("sts get-caller-identity", "Your session has expired. Please reauthenticate using 'aws login'.", "aws login"),
    ],
)
def test_what_does_not_pass_ends_it_at_once(call: str, error: str, said: str) -> None:
    done = bash(f"aws_require {call}", f"254 {error}", "0 made")

    assert done.returncode in (1, 4)
    assert said in done.stderr
    assert "Waiting" not in done.stderr


def test_the_wait_has_an_end() -> None:
    done = bash("retry_seconds=0 aws_require iam put-role-policy", f"254 {lags.NO_ROLE}")

    assert done.returncode == 1
    assert "If it was just created or removed, try again in a minute" in done.stderr


@pytest.mark.parametrize(
    "call", ["iam delete-role", "sqs delete-queue", "s3api delete-bucket", "iam detach-role-policy"]
)
def test_what_is_to_be_removed_and_is_gone_needs_nothing(call: str) -> None:
    assert bash(f"aws_require {call}", f"254 {lags.NO_ROLE}").returncode == 0


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("iam create-role", lags.STILL_A_ROLE),
        ("ec2 import-key-pair", "(InvalidKeyPair.Duplicate) when calling X"),
        ("autoscaling create-auto-scaling-group", "(AlreadyExists) when calling X"),
        ("ec2 create-launch-template", "(InvalidLaunchTemplateName.AlreadyExistsException) when calling X"),
    ],
)
def test_what_was_created_by_a_call_whose_response_was_lost_is_created(call: str, error: str) -> None:
    assert bash(f"aws_require {call}", f"254 {lags.TIMEOUT}", f"254 {error}").returncode == 0
    assert bash(f"retry_seconds=0 aws_require {call}", f"254 {error}").returncode == 1


@pytest.mark.parametrize("error", ["(BucketAlreadyOwnedByYou) X", "(InvalidPermission.Duplicate) X"])
def test_what_is_ours_already_is_made(error: str) -> None:
    assert bash("aws_require x create-it", f"254 {error}").returncode == 0


def test_a_group_whose_creation_said_nothing_is_found_as_soon_as_it_is_listed() -> None:
    row = "0 sg-7\tlab3\tone"

    done = bash("await_group", "0 None", "0 None", row)

    assert (done.returncode, done.stdout) == (0, "sg-7\n"), done.stderr


def test_an_encoded_message_is_cut_short() -> None:
    message = "You are not authorized. Encoded authorization failure message: " + "aB3-_" * 200

    done = bash("aws_require ec2 run-instances", f"254 (UnauthorizedOperation) {message}")

    assert "no permission for ec2:run-instances" in done.stderr
    assert "failure message: aB3-_aB3-_aB… (cut; to read it, run" in done.stderr
    assert len(done.stderr) < 500


@pytest.mark.parametrize(
    ("identity", "arn"),
    [
        ("1\tarn:aws:iam::1:user/me", "arn:aws:sqs:us-east-1:1:q"),
        ("1\tarn:aws-cn:iam::1:user/me", "arn:aws-cn:sqs:us-east-1:1:q"),
        ("1\tarn:aws-us-gov:sts::1:assumed-role/a/b", "arn:aws-us-gov:sqs:us-east-1:1:q"),
    ],
)
def test_names_of_resources_begin_with_the_callers_partition(identity: str, arn: str) -> None:
    assert bash("aws() { :; }; is_lab=false; connect; arn_of_queue q", f"0 {identity}").stdout == f"{arn}\n"


# Queues that are being deleted

LISTED = "known_urls=$(printf 'http://x/%s\\t' a b c d a-dead c-dead);"
AS_IT_SHOULD_BE = "0 {}"


def test_a_queue_that_is_being_deleted_is_not_taken_for_one_that_exists() -> None:
    script = LISTED + "echo lab3 >$scratch/owner.a; make_queue a VisibilityTimeout=1; cat $scratch/url.a"

    done = bash(script, f"254 {lags.DELETED}", f"254 {lags.DELETED}", "0 http://x/new")

    assert done.stdout.splitlines()[-1] == "http://x/new", done.stderr
    assert "deleted less than a minute ago. Waiting" in done.stderr
    assert "+ aws sqs create-queue --queue-name a" in done.stdout


@pytest.mark.parametrize("said", ["0 http://x/a", "254 (QueueAlreadyExists) X", "254 (AccessDenied) X"])
def test_a_queue_of_which_sqs_says_anything_else_exists(said: str) -> None:
    assert bash("if is_being_deleted a VisibilityTimeout=1; then exit 7; fi", said).returncode == 0


def test_the_end_looks_again_for_queues_that_were_found() -> None:
    script = (
        "make_queues() { echo again; }; echo X=1 >$scratch/found.a; echo X=1 >$scratch/found.c; look_at_queues_again"
    )

    there, gone, ended = (
        bash(script, f"0 {urls}", said)
        for urls, said in (
            ("http://x/a\thttp://x/c", "0 fine"),
            ("http://x/a\thttp://x/c", f"254 {lags.DELETED}"),
            ("http://x/c", "0 fine"),
        )
    )

    assert there.stdout == ""
    assert [line[-3:] for line in gone.stdout.splitlines()] == ["a c", "ain"]
    assert [line[-3:] for line in ended.stdout.splitlines()] == [": a", "ain"]


def test_all_queues_are_listed_by_pages() -> None:
    assert "--page-size 1000" in bash("find_queues; cat $scratch/calls", "0 None").stdout


# The key's file


def test_a_key_that_cannot_be_written_is_said_and_without_home_the_users_folder_is_found() -> None:
    script = "is_lab=false key_path=; unset HOME; key_file; generate_key /dev/null/.ssh/lab3-key"

    done = bash(script, "0 None")

    assert done.stdout.splitlines()[0] == str(Path(pwd.getpwuid(os.getuid()).pw_dir) / ".ssh/lab3-key")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("aws_setup.sh: The key /dev/null/.ssh/lab3-key cannot be written: mkdir:")
    assert said.endswith("Name another file with --key, or use --no-ssh.")


# An `up` for each

if EACH:

    @pytest.mark.parametrize(("call", "error"), lags.LAGS)
    def test_up_ends_well_with_this_lag(moto: Engine, tmp_path: Path, call: str, error: str) -> None:
        account = Account(moto, tmp_path)
        account.have_lags([(call, error)], lags.UNLISTED)

        said = account.run("up", SETUP_PROOF="0")

        assert said.returncode == 0, said.stdout + said.stderr
        assert account.lags_left == []
        assert len(account.instances) == 1
        (account.folder / "faults").write_text("[]")
        assert json.loads(account.done("plan", "--json"))["commands"] == []
