"""Images of a size: operations on a photograph, as an image process does them and as one would with plain Pillow.

    python -m bench.growth.images make MEGAPIXELS FILE
    python -m bench.growth.images courier|pillow OPERATION FILE     prints what it took as JSON

Each runs in a process of its own, whose memory is measured; its start takes no part of the time.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

from bench import images
from bench.growth.site import Figures, Site, Size, child
from bench.peak import peak_megabytes

WAYS = {"courier": images.ours, "pillow": images.plain}


def worked(way: str, operation: str, site: Site, size: Size) -> Figures:
    """Measure an operation on a JPEG of `size` megapixels, from file to file in memory."""
    path = site.folder / f"{size}.jpg"
    if not path.exists():
        child("bench.growth.images", "make", str(size), str(path))
    # As the processes in which a worker works on images.
    return child("bench.growth.images", way, operation, str(path), env={"MALLOC_ARENA_MAX": "2"})


def make(megapixels: float, path: Path) -> None:
    """Write a photograph of at most that many megapixels, whose sides are as 4 to 3."""
    width = math.floor(math.sqrt(megapixels * 1e6 * 4 / 3))
    path.write_bytes(images.photo(width, width * 3 // 4, "RGB", "JPEG"))


def measured(way: str, operation: str, content: bytes) -> Figures:
    """Do it once, and return what it took."""
    started, spent = time.perf_counter(), time.process_time()
    WAYS[way](content, operation, "JPEG")
    return {
        "seconds": time.perf_counter() - started,
        "CPU s": time.process_time() - spent,
        "peak MB": peak_megabytes(),
    }


def main() -> None:
    """Do what the command line says."""
    what, second, name = sys.argv[1:]
    if what == "make":
        make(float(second), Path(name))
        print("{}")
    else:
        print(json.dumps(measured(what, second, Path(name).read_bytes())))


if __name__ == "__main__":
    main()
