"""A client that sends whatever body it is given, a list or not, and prints the answer's."""

from __future__ import annotations

import sys

import courier

NUMBERS = courier.Application("numbers", requests="requestQueue", replies="responseQueue")

if __name__ == "__main__":
    print(courier.Requester(NUMBERS, timeout=30).request(sys.argv[1]).body)
