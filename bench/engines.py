"""Hold the engines to each other and to the reference over many random lists: more than the tests have time for.

    python -m bench.engines [--lists N]

Runs the properties of the tests, each over its share of N random lists (100,000).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

#: Each property, and how large its share is: those that take long have a small one.
PROPERTIES = (
    ("numbers/test_fast_parser.py::test_both_engines_read_alike_wherever_the_list_is_cut", 0.3),
    ("numbers/test_fast_parser.py::test_what_is_no_list_is_never_taken", 0.2),
    ("numbers/test_fast_parser.py::test_no_text_is_read_otherwise_than_by_the_reference", 0.2),
    ("numbers/test_ranges.py::test_ranges_of_a_list_have_every_number_once", 0.1),
    ("numbers/test_ranges.py::test_the_first_parse_error_is_that_of_the_whole_list", 0.1),
    ("numbers/test_ranges.py::test_no_text_is_read_otherwise_than_by_the_reference", 0.09),
    ("numbers/test_passes.py::test_any_number_of_parts_gives_the_figures_of_the_whole_list", 0.01),
)


def check(name: str, count: int) -> int:
    """Run one property over `count` lists; return pytest's exit status."""
    options = ("-n", "0", "--timeout", "0", "--quiet", "--no-header", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"tests/unit/{name}"],
        env={**os.environ, "SUITE_EXAMPLES": str(count)},
        check=False,
    ).returncode


def main() -> int:
    """Run all of them; return the first exit status that is not 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=100_000, metavar="N", help="how many lists in all")
    given = parser.parse_args()
    for name, share in PROPERTIES:
        started, count = time.monotonic(), max(1, int(given.lists * share))
        if status := check(name, count):
            return status
        print(f"{count:6,} lists in {time.monotonic() - started:4.0f} s: {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
