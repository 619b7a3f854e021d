"""Hooks into botocore's calls to S3: each says whose bucket it means, and S3 says in which region it is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

#: The argument of S3's calls for the account that a bucket must belong to.
OWNER = "ExpectedBucketOwner"
#: The calls whose error responses have no body, only a status and headers.
HEADS = ("HeadObject", "HeadBucket")


def register(events: Any, owner: str) -> None:  # noqa: ANN401  botocore's emitter
    """Register the hooks with the events of an S3 client. S3 then rejects calls for a bucket of another account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    def name_owner(params: dict[str, Any], model: Any, **_: object) -> dict[str, Any] | None:  # noqa: ANN401
        return {OWNER: owner} | params if OWNER in model.input_shape.members else None

    events.register("provide-client-params.s3", name_owner)
    events.register("after-call.s3", _name_region)


def region_elsewhere(parsed: dict[str, Any], context: dict[str, Any]) -> str:
    """Return the region of the bucket that a rejected call was about, if it is not the client's; else an empty string.

    S3 rejects it with 400 or 301, and says the region in a header.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    details = parsed.get("ResponseMetadata", {})
    region = str(details.get("HTTPHeaders", {}).get("x-amz-bucket-region", ""))
    is_rejected = details.get("HTTPStatusCode") in (HTTPStatus.BAD_REQUEST, HTTPStatus.MOVED_PERMANENTLY)
    return region if is_rejected and region != context.get("client_region", region) else ""


def _name_region(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
    """Put a bucket's region into the error of a HEAD request, whose response has no body."""
    region = region_elsewhere(parsed, context)
    if region and model.name in HEADS:
        message = f"the bucket is in the region {region}, and this program uses {context['client_region']}"
        parsed["Error"] = {"Code": "PermanentRedirect", "Message": message}
