"""`pytest --aws`, with an emulator in place of the AWS of the user's credentials."""

from __future__ import annotations

import subprocess
import sys

import boto3

from tests.support.engines import Engine, fresh_account, unmeasured
from tests.support.place import ROOT, WAIT_SECONDS

TESTS = (
    "tests/contract/test_reply_queue.py::test_leftovers_are_swept_by_age_and_young_ones_stay",
    "tests/contract/test_scale_in.py::test_a_group_that_is_not_there_is_reported_and_costs_nothing",
    "tests/acceptance/test_long_lists.py::test_without_a_bucket_a_long_list_is_rejected_in_a_sentence",
    "tests/unit/test_text.py",
)


def test_each_test_has_names_of_its_own_and_leaves_nothing(ministack: Engine) -> None:
    env = ministack.environment(fresh_account())

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--aws", "-n", "0", "-p", "no:cacheprovider", "-rs", *TESTS],
        env=unmeasured(env),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert f"AWS: {ministack.url}, us-east-1" in done.stdout
    assert "2 passed, " in done.stdout
    assert "left out: needs an emulator" in done.stdout
    keys = {"aws_access_key_id": env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "test"}
    sqs = boto3.client("sqs", endpoint_url=ministack.url, region_name="us-east-1", **keys)  # type: ignore[call-overload]
    s3 = boto3.client("s3", endpoint_url=ministack.url, region_name="us-east-1", **keys)  # type: ignore[call-overload]
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert s3.list_buckets()["Buckets"] == []
