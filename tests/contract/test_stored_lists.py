"""What a worker does with lists in the bucket when nobody waits for them any more; the rest is in tests/acceptance."""

from __future__ import annotations

import io
import secrets

import pytest

from courier.aws.s3 import Bucket
from courier.aws.session import Aws
from courier.errors import Rejected
from courier.numbers.stored_lists import StoredLists


def test_work_whose_time_is_over_is_left_at_the_next_block(aws: Aws) -> None:
    name = f"bucket-{secrets.token_hex(6)}"
    aws.s3().create_bucket(Bucket=name)
    bucket = Bucket(aws, name, "numbers/unprocessed/")
    bucket.store("list", io.BytesIO(b"1.5\n" * 500_000), media_type="text/plain")
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(Rejected, match="took too long"):
        StoredLists(bucket).answer("list", {}, is_over)

    assert len(asked) == 4
