"""requirements.lock: what the instance installs is what these tests run with."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
#: Each package with its version.
LOCKED = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, re.MULTILINE))


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def test_the_tests_run_with_the_locked_versions() -> None:
    installed = {name: distribution(name).version for name in LOCKED}

    assert installed == LOCKED


def test_every_requirement_is_locked_to_a_version_that_it_allows_and_so_is_what_it_needs() -> None:
    wanted, seen = requirements("requirements.txt"), set()
    while wanted:
        one = wanted.pop()
        name = canonicalize_name(one.name)
        assert LOCKED[name] in one.specifier, one
        if name not in seen:
            seen.add(name)
            needed = map(Requirement, distribution(name).requires or [])
            wanted += [more for more in needed if not more.marker or more.marker.evaluate({"extra": ""})]

    assert seen == set(LOCKED)


def test_the_pins_of_the_local_aws_are_kept() -> None:
    pins = [one for one in requirements("requirements-local.txt") if canonicalize_name(one.name) in LOCKED]

    assert pins
    assert all(LOCKED[canonicalize_name(one.name)] in one.specifier for one in pins)


def test_every_package_has_hashes_and_no_line_names_a_server() -> None:
    lines = [line for line in LOCK.splitlines() if not line.startswith("#")]
    heads = [line for line in lines if not line.startswith(" ")]

    assert len(heads) == len(LOCKED)
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines if line not in heads)
    assert "://" not in LOCK
    assert "index" not in LOCK
