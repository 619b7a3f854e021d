"""A client that sends whatever body it is given, a list or not, and prints the answer's."""

from __future__ import annotations

import sys

import courier
from courier.numbers.application import application
from courier.settings import load_settings

if __name__ == "__main__":
    print(courier.Requester(application(load_settings()), timeout=30).request(sys.argv[1]).body)
