"""What `import courier` offers: each name documented, loaded when it is used, and enough for the four programs."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

import pytest

import courier
from tests.unit.test_layers import NAMES, imports, package_of

#: The commands for operators: purge, dead letters and redrive concern queues, not requests, and `check` tells what a
#: single round trip met. They are no part of what a library's user needs, and see the connection from inside, as does
#: what tells a person how long the queue is. And what only supervises the processes of a worker does that without
#: loading the library.
EXCEPTIONS = ("courier.cli.queue_commands", "courier.cli.waiting", "courier.cli.workers")
PUBLIC = [name for name in courier.__all__ if name not in ("__version__", "testing")]


def loaded(statement: str) -> set[str]:
    """Return which packages from outside a new interpreter has loaded after a statement."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_importing_it_loads_none_of_the_libraries_below() -> None:
    assert loaded("import courier") & {"boto3", "botocore", "numpy", "PIL", "rich", "argparse", "logging"} == set()


@pytest.mark.parametrize("child", ["images.sandbox_child", "messaging.isolated"])
def test_a_sandbox_child_loads_no_aws(child: str) -> None:
    assert loaded(f"import courier.{child}") & {"boto3", "botocore", "rich"} == set()


def test_its_names_are_all_there_and_no_others() -> None:
    assert set(courier.__all__) <= set(dir(courier))
    assert all(getattr(courier, name) for name in courier.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        courier.Nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", [*PUBLIC, "testing.queues"])
def test_a_name_has_an_example_that_runs(name: str) -> None:
    found = courier
    for part in name.split("."):
        found = getattr(found, part)
    tests = doctest.DocTestFinder(recurse=True).find(
        found, name, module=False, globs={**vars(inspect.getmodule(found)), **vars(courier)}
    )

    assert any(test.examples for test in tests)
    for test in tests:
        result = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(test, clear_globs=False)
        assert result.failed == 0


@pytest.mark.parametrize("name", [name for name in NAMES if package_of(name) in ("cli", "numbers", "images")])
def test_the_programs_use_nothing_else_of_messaging(name: str) -> None:
    used = {one for one in imports(NAMES[name], typing_too=True) if one.startswith("courier.messaging")}

    assert not used or name in EXCEPTIONS
