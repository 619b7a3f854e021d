"""Checks of S3: what a HEAD says without a body, and what conditional writes do when they meet."""

from __future__ import annotations

import io
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest.mock import patch

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from courier.aws.s3 import Bucket
from courier.errors import BucketMissing, CourierError, CredentialsRejected, NoCredentials, ObjectReplaced
from courier.settings import UNPROCESSED
from scripts.verify.account import TOKEN_SECONDS, Account, keys_of
from scripts.verify.runner import CannotRun, CheckFailed, Figure, Finding

WRITERS, ROUNDS = 16, 6
#: How long a token still works after it has expired.
LATE_SECONDS = 30


def raw_head(account: Account, bucket: str, region: str, keys: Credentials | None = None) -> dict[str, Figure]:
    """Return status and region header of a HEAD of a bucket that follows no redirection."""
    url = f"{account.client('s3', region).meta.endpoint_url}/{bucket}"
    credentials = keys or boto3.Session().get_credentials()
    if credentials is None:
        raise CannotRun("there are no credentials")
    request = AWSRequest(method="HEAD", url=url)
    S3SigV4Auth(credentials, "s3", region).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    return {"status": answer.status_code, "region_header": answer.headers.get("x-amz-bucket-region")}


def no_bucket(account: Account) -> Finding:
    """Have courier look for a bucket that does not exist."""
    name = f"{account.name}-none-{secrets.token_hex(8)}"
    figures = raw_head(account, name, account.region)
    try:
        Bucket(account.aws(), name, UNPROCESSED).check()
    except BucketMissing as error:
        return Finding(detail=f"HEAD {figures['status']}: {error.message}", figures=figures)
    except CourierError as error:
        raise CheckFailed(f"HEAD {figures['status']}: {error.message}", figures) from error
    raise CheckFailed(f"HEAD {figures['status']}, and the bucket is taken for one that exists", figures)


def wrong_region(account: Account) -> Finding:
    """Have courier look for the bucket with another region in its configuration."""
    other = "us-west-2" if account.region != "us-west-2" else "us-east-1"
    figures = raw_head(account, account.bucket, other)
    with patch.dict("os.environ", AWS_REGION=other, AWS_DEFAULT_REGION=other):
        connection = account.aws()
    try:
        Bucket(connection, account.bucket, UNPROCESSED).check()
    except (CredentialsRejected, NoCredentials) as error:
        raise CheckFailed(
            f"HEAD {figures['status']} is taken for rejected credentials: {error.message}", figures
        ) from error
    except CourierError as error:
        return Finding(detail=f"HEAD {figures['status']}: {error.message}", figures=figures)
    return Finding(detail=f"HEAD {figures['status']}, and the bucket is found all the same", figures=figures)


def begin_token(account: Account) -> None:
    """Get a session token that expires while the checks run; note the reason if there can be none."""
    if not account.is_real:
        return
    try:
        account.tokens = account.client("sts").get_session_token(DurationSeconds=TOKEN_SECONDS)["Credentials"]
    except ClientError as error:
        account.no_token = error.response["Error"]["Code"]


def expired_token(account: Account) -> Finding:
    """Have courier look for the bucket with a token that has expired."""
    if not account.tokens:
        raise CannotRun(f"these credentials get no session token ({account.no_token}): use those of an IAM user")
    time.sleep(max(0.0, account.tokens["Expiration"].timestamp() + LATE_SECONDS - time.time()))
    keys = keys_of(account.tokens)
    figures = raw_head(account, account.bucket, account.region, Credentials(*keys.values()))
    try:
        with patch.dict("os.environ", {name.upper(): value for name, value in keys.items()}):
            Bucket(account.aws(), account.bucket, UNPROCESSED).check()
    except CredentialsRejected as error:
        return Finding(detail=f"HEAD {figures['status']}: {error.message}", figures=figures)
    except CourierError as error:
        raise CheckFailed(f"HEAD {figures['status']} is taken for: {error.message}", figures) from error
    raise CheckFailed("the token still works", figures)


def races(account: Account) -> Finding:
    """Have many write one new object at once, whole and in parts: exactly one may win."""
    # Retried, a conflict would be no more to be seen.
    once = Config(retries={"total_max_attempts": 1}, max_pool_connections=WRITERS)
    s3 = boto3.client("s3", region_name=account.region, config=once)
    counts: Counter[str] = Counter()
    for write in (_put, _complete):
        for _ in range(ROUNDS):
            seen = _at_once(account, partial(write, s3, account.bucket))
            if seen["200"] != 1:
                raise CheckFailed(f"{seen['200']} of {WRITERS} writers won: {dict(seen)}", dict(seen))
            counts += seen
    if unknown := counts.keys() - {"200", "409", "412"}:
        raise CheckFailed(f"other errors: {', '.join(sorted(unknown))}", dict(counts))
    figures: dict[str, Figure] = {f"status_{status}": counts[status] for status in ("200", "409", "412")}
    note = "; no 409 could be provoked" if account.is_real and not counts["409"] else _how(account)
    return Finding(detail=f"one winner in each of {2 * ROUNDS} races{note}", figures=figures)


def races_of_courier(account: Account) -> Finding:
    """Have many of courier's uploads race for one new object."""
    connection = account.aws()

    def store(key: str) -> str:
        bucket = Bucket(connection, account.bucket, UNPROCESSED)
        try:
            bucket.store(key.rpartition("/")[2], io.BytesIO(key.encode()), media_type="text/plain", is_new=True)
        except ObjectReplaced:
            return "lost"
        return "won"

    connection.s3()
    counts = sum((_at_once(account, store) for _ in range(ROUNDS)), Counter())
    if counts["won"] != ROUNDS:
        raise CheckFailed(f"{counts['won']} writers won {ROUNDS} races", dict(counts))
    return Finding(
        detail=f"one winner in each of {ROUNDS} races, and the others know it{_how(account)}", figures=dict(counts)
    )


def _how(account: Account) -> str:
    return "" if account.is_real else "; on an emulator, one after another"


def _at_once(account: Account, write: Callable[[str], str]) -> Counter[str]:
    """Count what becomes of writers of one key; emulators, which do not lock, get them one after another."""
    key = f"{UNPROCESSED}race-{secrets.token_hex(6)}"
    with ThreadPoolExecutor(WRITERS if account.is_real else 1) as pool:
        return Counter(pool.map(write, [key] * WRITERS))


def _put(s3: Any, bucket: str, key: str) -> str:  # noqa: ANN401  boto3's client
    return _status(lambda: s3.put_object(Bucket=bucket, Key=key, Body=secrets.token_bytes(1000), IfNoneMatch="*"))


def _complete(s3: Any, bucket: str, key: str) -> str:  # noqa: ANN401  boto3's client
    place = {"Bucket": bucket, "Key": key}
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    status = _status(lambda: s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*"))
    if status != "200":
        s3.abort_multipart_upload(**upload)
    return status


def _status(call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return "200"
