"""Write the parts of the documentation that the code knows.

    python -m scripts.docs            write them into README.md and docs/
    python -m scripts.docs --check    write nothing; exit with 1 if a part is out of date, and name it

A generated part stands between the comments `<!-- generated: NAME -->` and `<!-- end -->`; NAME is one of
`PARTS`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.growth.dimensions import DIMENSIONS
from scripts import (
    aims,
    api,
    costs,
    fleet_tables,
    growth_tables,
    helps,
    peer_tables,
    performance,
    schemas,
    setup_actions,
    tables,
)

ROOT = Path(__file__).parents[1]
PARTS: dict[str, Callable[[], str]] = {
    "aims": aims.aims,
    "api": api.api,
    "awkward": tables.awkward_table,
    "aws_setup": partial(helps.script_help, "aws_setup.sh"),
    "checks": tables.check_table,
    "client name": tables.client_name,
    "cost": tables.cost_table,
    "cost afternoon": costs.afternoon,
    "cost counted": costs.counted,
    "cost peers": costs.peers,
    "decisions": tables.decision_table,
    "exit_statuses": tables.exit_statuses,
    "fleet check": fleet_tables.check,
    "fleet inputs": fleet_tables.inputs,
    "fleet loads": fleet_tables.loads,
    "fleet money": fleet_tables.money,
    "fleet policies": fleet_tables.policies,
    "formats": tables.format_table,
    "memory": tables.memory_table,
    "limits": partial(tables.setting_table, "image_m", "image_seconds"),
    "menus": helps.menus,
    "messages": partial(schemas.schema_tables, "messages"),
    "operations": tables.operation_table,
    "performance batch": performance.batch,
    "performance biglist": performance.biglist,
    "performance crowd": performance.crowd,
    **{f"performance growth {name}": partial(growth_tables.growth, name) for name in DIMENSIONS},
    "performance images": performance.images,
    "performance latency": performance.latency,
    "performance lists": performance.lists,
    "performance peer calls": peer_tables.calls,
    "performance peer ends": peer_tables.ends,
    "performance peer waiting": peer_tables.waiting,
    "performance peers": peer_tables.backlog,
    "performance processes": performance.processes,
    "performance profile": performance.profile,
    "performance throughput": performance.throughput,
    "performance uploads": performance.uploads,
    "permissions client": partial(tables.permission_table, "client"),
    "permissions setup": setup_actions.setup_table,
    "permissions worker": partial(tables.permission_table, "worker"),
    "presets": tables.preset_table,
    "programs": helps.program_help,
    "reasons": tables.reason_table,
    "run_local": partial(helps.script_help, "run_local.sh"),
    "schemas": partial(schemas.schema_tables, "json"),
    "settings": tables.setting_table,
}
_PART = re.compile(r"(<!-- generated: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return all pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def generated(page: str) -> str:
    """Return a page with its generated parts as they should be. Raises: KeyError for an unknown part."""
    return _PART.sub(lambda part: f"{part[1]}{PARTS[part['name']]()}\n{part[3]}", page)


def out_of_date() -> dict[Path, str]:
    """Return the pages whose generated parts are not as they should be, and how they should be."""
    found = {page: page.read_text() for page in pages()}
    return {page: wanted for page, text in found.items() if (wanted := generated(text)) != text}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is out of date, or name it; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a part is out of date")
    is_check = parser.parse_args(arguments).check
    stale = out_of_date()
    for page, text in stale.items():
        if is_check:
            print(f"{page.relative_to(ROOT)} is out of date. Run: python -m scripts.docs", file=sys.stderr)
        else:
            page.write_text(text)
            print(f"wrote {page.relative_to(ROOT)}")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
