"""Measure how time, processor time and memory grow with size, keep the figures, and draw the plots.

    pip install -r bench/requirements.txt
    python -m bench.growth [NAME ...]     measures all dimensions, or those named; then writes plots and tables
    python -m bench.growth --quick        smaller sizes, which are only printed
    python -m bench.growth --plot         draws the plots from the figures kept in bench/results/growth.json

All of it takes less than ten minutes on two cores that nothing else uses.
"""

from __future__ import annotations

import argparse
import sys

from bench import all as every
from bench.growth import measuring, plots
from bench.growth.dimensions import DIMENSIONS


def main() -> int:
    """Measure or draw; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DIMENSIONS))
    parser.add_argument("--quick", action="store_true", help="smaller sizes; keep nothing")
    parser.add_argument("--plot", action="store_true", help="measure nothing; draw the plots")
    given = parser.parse_args()
    if unknown := set(given.names) - DIMENSIONS.keys():
        parser.error(f"no such dimension: {', '.join(sorted(unknown))}")
    if given.plot:
        return plots.draw()
    status = 0
    for name in given.names or DIMENSIONS:
        figures = measuring.measure([name], quick=given.quick)
        status = status if given.quick else every.keep("growth", figures) or status
    return status if given.quick else every.write_pages() or status


if __name__ == "__main__":
    sys.exit(main())
