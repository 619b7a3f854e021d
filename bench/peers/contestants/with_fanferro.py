"""fanferro (Python 3.12 and later): twenty handlers at once; its core prefetches and deletes by tens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import fanferro  # type: ignore[import-not-found,unused-ignore]

from bench.peers.contestants import work

client = fanferro.Client(endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), region=os.environ.get("AWS_DEFAULT_REGION"))
requests = client.queue(work.REQUESTS)
responses = client.queue(work.RESPONSES)
consumer = client.consumer(
    requests, concurrency=20, wait_time=work.WAIT_SECONDS, visibility_timeout=work.VISIBILITY_SECONDS
)


async def answer(message: Any) -> None:
    """Do the work of one request."""
    text = work.answer(message.body.decode())
    await responses.send(text.encode(), attributes={"request-id": message.attribute("request-id")})


answer.__annotations__["message"] = fanferro.Message[bytes]
consumer.default(answer)


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    runner = asyncio.Runner()
    runner.run(client.__aenter__())
    return lambda request_id, numbers: runner.run(
        requests.send(numbers.encode(), attributes={"request-id": request_id})
    )


async def _serve() -> None:
    async with client:
        await client.run()


def serve() -> None:
    """Serve until a signal."""
    asyncio.run(_serve())
