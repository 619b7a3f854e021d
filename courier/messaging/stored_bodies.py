"""Claim checks: bodies that are too large for a message are stored in the bucket."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from courier.aws.s3 import Bucket
from courier.aws.session import Aws
from courier.aws.sqs import MAX_BODY_BYTES
from courier.errors import MalformedMessage
from courier.messaging.application import Application
from courier.messaging.connection import ATTRIBUTES_BYTES
from courier.messaging.protocol import Request, Response, new_request_id
from courier.text import quoted

#: The most bytes of a character in UTF-8.
LONGEST_CHARACTER = 4
#: The prefix of bodies in the bucket, before the application's kind.
PREFIX = "courier/"
_CLAIM = re.compile(r"[0-9a-f]{32}")


class StoredBodies:
    """The stored bodies of an application. Without a bucket, bodies stay in messages, whatever their size."""

    def __init__(self, aws: Aws, application: Application) -> None:
        name = application.bucket
        self._bucket = Bucket(aws, name, f"{PREFIX}{application.kind}/") if name else None

    def claim(self, body: str, *, max_body_bytes: int = MAX_BODY_BYTES - ATTRIBUTES_BYTES) -> str:
        """Store `body` if it is too large for a message; return its claim, or an empty string. Raises: AwsError."""
        if self._bucket is None or len(body) * LONGEST_CHARACTER <= max_body_bytes:
            return ""
        content = body.encode(errors="replace")
        if len(content) <= max_body_bytes:
            return ""
        claim = new_request_id()
        self._bucket.store(claim, io.BytesIO(content), media_type="text/plain; charset=utf-8")
        return claim

    def redeemed(self, request: Request) -> Request:
        """Return the request with its whole body. Raises: MalformedMessage; ObjectMissing; AwsError."""
        return replace(request, body=self._fetch(request.claim), claim="") if request.claim else request

    def redeem(self, response: Response) -> Response:
        """Return the response with its whole body, and delete the stored body. Raises: as `redeemed`."""
        if not response.claim:
            return response
        whole = replace(response, body=self._fetch(response.claim), claim="")
        self.delete(response.claim)
        return whole

    def delete(self, claim: str) -> None:
        """Delete a body. Raises: AwsError."""
        if self._bucket and claim:
            with self._bucket.cleaning_up():
                self._bucket.delete(claim)

    def _fetch(self, claim: str) -> str:
        if self._bucket is None:
            raise MalformedMessage("The body is in a bucket.", hint="Give the application the bucket's name.")
        if not _CLAIM.fullmatch(claim):
            raise MalformedMessage(f"The attribute claim is {quoted(claim)}: it must be 32 hexadecimal digits.")
        file = io.BytesIO()
        self._bucket.fetch(claim, file)
        return file.getvalue().decode(errors="replace")
