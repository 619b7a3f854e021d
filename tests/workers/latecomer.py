"""Mischief that takes longer to start than its images may."""

from __future__ import annotations

import sys
import threading

from courier.images.sandbox_child import work
from courier.sandbox_child import serve
from tests.workers import mischief  # noqa: F401  it replaces courier.images.sandbox_child

if __name__ == "__main__":
    threading.Event().wait(0.8)
    sys.exit(serve(sys.argv[1:], work))
