"""Split messages into batches that SQS accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.errors import MessageTooLong

#: What helps where nothing is known of the sender.
SPLIT_HINT = "Split it into shorter ones."


def by_size(messages: Sequence[Message], *, limit: int, limit_bytes: int) -> Iterator[dict[int, Message] | Failure]:
    """Yield batches of at most `limit` messages and `limit_bytes` together, and a failure for each that is too long."""
    batch: dict[int, Message] = {}
    size = 0
    for index, message in enumerate(messages):
        added = message.size_bytes
        if added > limit_bytes:
            yield Failure(index=index, error=_too_long(added, limit_bytes))
            continue
        if len(batch) == limit or size + added > limit_bytes:
            yield batch
            batch, size = {}, 0
        batch[index] = message
        size += added
    if batch:
        yield batch


def _too_long(size_bytes: int, limit_bytes: int) -> MessageTooLong:
    message = f"The message has {size_bytes:,} bytes, and the limit of SQS is {limit_bytes:,}."
    return MessageTooLong(message, hint=SPLIT_HINT)
