"""Mischief that takes longer to start than its pictures may."""

from __future__ import annotations

import sys
import threading

from courier.images import sandbox_child
from tests.workers import mischief  # noqa: F401  it takes the darkroom's place

if __name__ == "__main__":
    threading.Event().wait(2.5)
    sys.exit(sandbox_child.main(sys.argv[1:]))
