"""Upper-case text. `upper.py` is a worker, until Ctrl-C; `upper.py WORDS` is a client."""

import sys

import courier

UPPER = courier.Application("upper", requests="upperRequests", replies="upperReplies")


def upper(request: courier.Request) -> str:
    """Return the text in capitals."""
    return request.body.upper()


if __name__ == "__main__":
    courier.create_queues(UPPER)
    if sys.argv[1:]:
        print(courier.Requester(UPPER).request(" ".join(sys.argv[1:])).body)
    else:
        courier.Worker(upper, UPPER).run()
