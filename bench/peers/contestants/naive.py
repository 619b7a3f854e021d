"""The loop of most tutorials: one message at a time, and a poll of one second."""

from __future__ import annotations

from bench.peers.contestants import bare, work

sender = bare.sender


def serve() -> None:
    """Serve until a signal."""
    while True:
        for message in bare.receive(1, 1):
            work.respond(message["MessageAttributes"]["request-id"]["StringValue"], work.answer(message["Body"]))
            work.sqs().delete_message(QueueUrl=work.url(work.REQUESTS), ReceiptHandle=message["ReceiptHandle"])
