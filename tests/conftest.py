from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.support import descriptions, parallel, real
from tests.support.engines import Engine, fresh_account, measuring, unmeasured
from tests.support.place import ATTRIBUTES, QUEUES, ROOT, Place, WorkerProcess, wait_for
from tests.support.quickprograms import Forks
from tests.support.shared import Shared

#: What tests took from here before it moved.
__all__ = ["ATTRIBUTES", "QUEUES", "ROOT", "Place", "WorkerProcess", "wait_for"]
TESTS = Path(__file__).parent
#: The folders whose tests are measured for coverage, which slows them by half: what they run is in this process.
MEASURED = ("unit", "contract")
#: The other tests of which the programs are measured, for what no test runs in its own process.
MEASURED_PROGRAMS = ("test_menus",)
#: How far into the run the last test begins that may wait; files of units fill the rest.
LAST_WAITING = 0.9


# Fewer examples than Hypothesis takes by default: python -m bench.engines takes more, and keeps none.
EXAMPLES = os.environ.get("SUITE_EXAMPLES")
MANY: dict[str, Any] = {"database": None, "suppress_health_check": list(HealthCheck)} if EXAMPLES else {}
settings.register_profile("suite", max_examples=int(EXAMPLES or 50), deadline=None, **MANY)
settings.load_profile("suite")
descriptions.read_once()


def pytest_addoption(parser: pytest.Parser) -> None:
    parallel.add_option(parser)
    parser.addoption(
        "--aws", action="store_true", help="run contract and acceptance tests on the AWS of your credentials"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C and SIGHUP reach the programs under test, also where a shell or nohup has these tests ignore them.

    SIGTERM ends the run as Ctrl-C does: with what its processes have shared.
    """
    if config.getoption("--aws"):
        os.environ[real.VARIABLE] = "1"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.pluginmanager.register(parallel, "parallel")
    config.stash[parallel.TOGETHER] = _is_short


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"AWS: {real.where()}"] if config.getoption("--aws") else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the tests marked `long`, and end with short ones, so that all processes end at about the same time.

    Files of units, which compute, are spread among tests that wait, and keep the machine busy from first to last.
    """
    if config.getoption("--aws"):
        elsewhere = [item for item in items if _folder(item) not in real.FOLDERS]
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in {*elsewhere}]
        for item in items:
            if item.get_closest_marker("emulator"):
                item.add_marker(pytest.mark.skip(real.LEFT_OUT))
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if item not in {*long}]
    items[:] = [*long, *_spread(others)]


def _spread(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests of each folder, and the files of units, at even distances; only files of units come last."""
    places: list[tuple[float, list[pytest.Item]]] = []
    for _, folder in groupby(items, _folder):
        groups = [[*group] for _, group in groupby(folder, lambda item: item.path if _is_short(item) else item)]
        end = 1 if _is_short(groups[0][0]) else LAST_WAITING
        places += [(end * place / len(groups), group) for place, group in enumerate(groups, 1)]
    return chain.from_iterable(group for _, group in sorted(places, key=itemgetter(0)))


def _is_short(item: pytest.Item) -> bool:
    return _folder(item) == "unit"


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_finish() -> None:
    """Keep thousands of collected tests out of every search for garbage, and search less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Leave coverage to the tests that are measured, where it is measured at all."""
    measured = Coverage.current()
    if measured is None or _folder(item) in MEASURED:
        return (yield)
    measured.stop()
    ends = os._exit
    try:
        with pytest.MonkeyPatch.context() as patch:
            if item.path.stem not in MEASURED_PROGRAMS:
                for name in measuring():
                    patch.delenv(name)
            return (yield)
    finally:
        measured.start()
        os._exit = ends  # which each start makes save once more


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the processes of this run have shared; the one that hands out the tests is the last to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    Shared.of(config).end()


@pytest.fixture(scope="session")
def shared_servers(request: pytest.FixtureRequest) -> Shared:
    return Shared.of(request.config)


@pytest.fixture(scope="session")
def ministack(shared_servers: Shared) -> Engine:
    real.needs_emulator()
    return shared_servers.engine("ministack")


@pytest.fixture(scope="session")
def moto(shared_servers: Shared) -> Engine:
    real.needs_emulator()
    return shared_servers.engine("moto")


@pytest.fixture(scope="session")
def _forks(shared_servers: Shared) -> None:
    """Have programs start as forks."""
    Forks.server = shared_servers.programs()


@contextmanager
def _place(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """Open a place on ministack, or, with --aws, under names of its own on the AWS of the user's credentials."""
    home = folder / "home"
    home.mkdir()
    with ExitStack() as stack:
        if not real.is_chosen():
            engine: Engine = request.getfixturevalue("ministack")
            yield Place(env={**engine.environment(fresh_account()), "HOME": str(home)}, folder=folder, stack=stack)
            return
        prefix = real.new_prefix()
        stack.callback(real.remove, prefix)
        named = {setting: f"{prefix}-{name}" for name, setting in real.SETTINGS.items()}
        env = {**real.environment(), **named, "COURIER_BUCKET": prefix, "HOME": str(home)}
        yield Place(env=env, folder=folder, stack=stack, prefix=f"{prefix}-")


@pytest.fixture
def bare_place(request: pytest.FixtureRequest, tmp_path: Path, _forks: None) -> Iterator[Place]:
    """An account with nothing in it."""
    with _place(request, tmp_path) as place:
        yield place


@pytest.fixture
def place(bare_place: Place) -> Place:
    """An account with the four queues and the bucket."""
    bare_place.create_queues()
    bare_place.create_bucket()
    return bare_place


@pytest.fixture(scope="session")
def _numbers_account(
    request: pytest.FixtureRequest, _forks: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with _place(request, tmp_path_factory.mktemp("numbers")) as made:
        made.create_queues()
        made.create_bucket()
        made.env = unmeasured(made.env)
        made.worker("numbers_worker.py")
        yield made


@pytest.fixture
def served(_numbers_account: Place, tmp_path: Path) -> Iterator[Place]:
    """A numbers worker that others use as well, and an empty folder."""
    with ExitStack() as stack:
        yield replace(_numbers_account, env={**_numbers_account.env, **measuring()}, folder=tmp_path, stack=stack)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("COURIER_"):
            monkeypatch.delenv(name)
