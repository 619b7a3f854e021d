"""A client that sends whatever body it is given, a list or not, and prints the answer's."""

from __future__ import annotations

import sys

from courier.messaging.connection import Connection, answer_of
from courier.messaging.pending import Question


def main() -> None:
    connection = Connection(
        kind="numbers", requests="requestQueue", replies="responseQueue", patience_seconds=0, tell=print
    )
    line = connection.line()
    outcome = line.requester.ask(Question(body=sys.argv[1]), timeout_seconds=30)
    print(answer_of(outcome, worker="numbers_worker.py").body)


if __name__ == "__main__":
    main()
