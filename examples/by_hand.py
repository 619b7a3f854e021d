"""Serve messages that are sent by hand, until Ctrl-C.

A message needs no attributes. Its reply goes to the reply queue, where anybody may look:

    url() { aws sqs get-queue-url --queue-name "$1" --query QueueUrl --output text; }
    aws sqs send-message --queue-url "$(url handRequests)" --message-body "one two three"
    aws sqs receive-message --queue-url "$(url handReplies)" --wait-time-seconds 20

Attributes that are there are the handler's to read: with `--message-attributes
'{"reverse": {"DataType": "String", "StringValue": "yes"}}'` the words come back to front.
"""

import courier

HAND = courier.Application("hand", requests="handRequests", replies="handReplies")


def words(request: courier.Request) -> str:
    """Return the words of a message, a line each."""
    found = request.body.split()
    return "\n".join(reversed(found) if request.attributes.get("reverse") == "yes" else found)


if __name__ == "__main__":
    courier.create_queues(HAND)
    courier.Worker(words, HAND).run()
