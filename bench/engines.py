"""Hold the engines to each other and to the reference over many random lists: more than the tests have time for.

    python -m bench.engines [--lists N]

Runs the properties of the tests, each over its share of N random lists (100,000).
"""

from __future__ import annotations

import argparse
import time

from hypothesis import HealthCheck, settings

from tests.unit import test_fastlist, test_pieces, test_survey

#: Each property, and how large its share is: those that take long have a small one.
PROPERTIES = (
    (test_fastlist.test_both_engines_read_alike_wherever_the_list_is_cut, 0.3),
    (test_fastlist.test_what_is_no_list_is_never_taken, 0.2),
    (test_fastlist.test_no_text_is_read_otherwise_than_by_the_reference, 0.2),
    (test_pieces.test_ranges_of_a_list_have_every_number_once, 0.1),
    (test_pieces.test_the_first_slip_is_that_of_the_whole_list, 0.1),
    (test_pieces.test_no_text_is_read_otherwise_than_by_the_reference, 0.09),
    (test_survey.test_any_number_of_parts_gives_the_figures_of_the_whole_list, 0.01),
)


def main() -> None:
    """Run all of them; raises what a property does that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=100_000, metavar="N", help="how many lists in all")
    given = parser.parse_args()
    for check, share in PROPERTIES:
        started, count = time.monotonic(), max(1, int(given.lists * share))
        settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))(check)()
        print(f"{count:6,} lists in {time.monotonic() - started:4.0f} s: {check.__name__}", flush=True)


if __name__ == "__main__":
    main()
