"""Ask the bucket, with one conditional request, whether deploy/current is still the installed one.

usage: check_code.py BUCKET ACCOUNT ETAG_FILE

botocore signs; that takes a fraction of the CPU time of the AWS CLI's start.

exit status: 0 it is another, or none is known; 1 there was no useful response; 3 it is the installed one
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

CHANGED, UNKNOWN, UNCHANGED = 0, 1, 3
KEY = "deploy/current"
TIMEOUT_SECONDS = 10


def url_of(bucket: str, region: str) -> str:
    """Return the object's address."""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return f"{endpoint.rstrip('/')}/{bucket}/{KEY}"
    host = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    # A certificate holds for one label.
    return f"https://{host}/{bucket}/{KEY}" if "." in bucket else f"https://{bucket}.{host}/{KEY}"


def status_of(bucket: str, account: str, etag: str) -> int:
    """Return the HTTP status of a GET that S3 answers in full only if the object has another ETag."""
    session = Session()
    credentials = session.get_credentials()
    if not credentials:
        raise NoCredentialsError
    region = session.get_config_variable("region") or os.environ.get("AWS_REGION", "")
    headers = {"If-None-Match": etag, "x-amz-expected-bucket-owner": account}
    request = AWSRequest("GET", url_of(bucket, region), headers=headers)
    S3SigV4Auth(credentials, "s3", region).add_auth(request)
    return int(URLLib3Session(timeout=TIMEOUT_SECONDS).send(request.prepare()).status_code)


def main(arguments: Sequence[str]) -> int:
    """Compare, and return the exit status."""
    bucket, account, file = arguments
    etag = Path(file)
    if not etag.exists():
        return CHANGED
    try:
        status = status_of(bucket, account, etag.read_text().strip())
    except BotoCoreError as error:
        sys.stderr.write(f"check_code.py: {error}\n")
        return UNKNOWN
    if status == HTTPStatus.NOT_MODIFIED:
        return UNCHANGED
    if status == HTTPStatus.OK:
        return CHANGED
    sys.stderr.write(f"check_code.py: S3 answered with status {status}\n")
    return UNKNOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
