"""Tests on the AWS of the user's credentials, with names of their own: `pytest --aws`.

What a test makes is removed after it. With AWS_ENDPOINT_URL it is an emulator, on which `--aws` itself is tested.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from courier.aws.session import Aws
from tests.support.engines import REGION, path_with_our_programs

#: Set while a run is one with --aws: in every process of the run, before tests are collected.
VARIABLE = "SUITE_AWS"
LEFT_OUT = "left out: needs an emulator"
#: The folders whose tests run there.
FOLDERS = ("contract", "acceptance")
SETTINGS = {
    "requestQueue": "COURIER_REQUEST_QUEUE",
    "responseQueue": "COURIER_RESPONSE_QUEUE",
    "imageInbox": "COURIER_IMAGE_INBOX",
    "imageOutbox": "COURIER_IMAGE_OUTBOX",
}


def is_chosen() -> bool:
    """Whether tests run on the AWS of the user's credentials."""
    return VARIABLE in os.environ


def where() -> str:
    """Return which AWS that is."""
    return f"{os.environ.get('AWS_ENDPOINT_URL') or 'the real one'}, {REGION}"


def needs_emulator() -> None:
    """Leave the test out, if it runs on the AWS of the user's credentials."""
    if is_chosen():
        pytest.skip(LEFT_OUT)


def environment() -> dict[str, str]:
    """Return what points programs at this AWS: the user's credentials, but none of the user's settings and files.

    Raises: pytest.UsageError without credentials.
    """
    found = boto3.Session().get_credentials()
    if found is None:
        raise pytest.UsageError("--aws needs AWS credentials")
    keys = found.get_frozen_credentials()
    given = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_ENDPOINT_URL": os.environ.get("AWS_ENDPOINT_URL"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COURIER_", "COLUMNS"))}
    return {
        **kept,
        **{name: value for name, value in given.items() if value},
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATH": path_with_our_programs(),
    }


def new_prefix() -> str:
    """Return what the names of a test's resources begin with."""
    return f"courier-test-{secrets.token_hex(5)}"


def client(service: str) -> Any:
    """Return a client of boto3 with the user's credentials."""
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


def remove(prefix: str) -> None:
    """Remove the queues and buckets whose names begin with `prefix`."""
    sqs, s3 = client("sqs"), client("s3")
    for url in sqs.list_queues(QueueNamePrefix=prefix, MaxResults=1000).get("QueueUrls", []):
        remove_queue(sqs, url)
    for found in s3.list_buckets()["Buckets"]:
        if found["Name"].startswith(prefix):
            remove_bucket(s3, found["Name"])


def remove_queue(sqs: Any, url: str) -> None:
    """Remove a queue, unless it is gone."""
    with contextlib.suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url)


def remove_bucket(s3: Any, name: str) -> None:
    """Remove a bucket with all that is in it, unless it is gone."""
    with contextlib.suppress(s3.exceptions.NoSuchBucket):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=one["Key"])
        for one in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=one["Key"], UploadId=one["UploadId"])
        s3.delete_bucket(Bucket=name)


@contextlib.contextmanager
def removing(aws: Aws) -> Iterator[Aws]:
    """Remove the queues and buckets that `aws` creates in the body."""
    queues: list[str] = []
    buckets: list[str] = []
    for made, service, operation, name in (
        (queues, aws.sqs(), "sqs.CreateQueue", "QueueName"),
        (buckets, aws.s3(), "s3.CreateBucket", "Bucket"),
    ):

        def note(params: dict[str, Any], made: list[str] = made, name: str = name, **_: object) -> None:
            made.append(params[name])

        service.meta.events.register(f"provide-client-params.{operation}", note)
    try:
        yield aws
    finally:
        sqs, s3 = client("sqs"), client("s3")
        for name in queues:
            with contextlib.suppress(ClientError):
                remove_queue(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"])
        for name in buckets:
            remove_bucket(s3, name)
