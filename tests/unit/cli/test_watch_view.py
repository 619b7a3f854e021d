"""The display of `watch` at several sizes: a function of what goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from rich.cells import cell_len

from courier.cli.watch_text import spark
from courier.cli.watch_view import View, display
from courier.monitoring.live import Live
from courier.monitoring.worker_status import Finished, InFlight, Period
from tests.support.live import live, queue, worker
from tests.support.rows import validator

SIZES = [(60, 20), (80, 24), (100, 32), (200, 60), (20, 5), (1, 1)]
HOSTILE = "\x1b[31mred\x07[bold]\u202eabc\n"


def shown(one: Live, width: int = 80, height: int = 24, **view: Any) -> list[str]:
    return [line.plain for line in display(one, width, height, View(**view))]


def test_the_display_fills_its_terminal_and_nothing_is_wider() -> None:
    for (width, height), page, workers in product(SIZES, ["main", "dead", "help"], [0, 2, 30]):
        one = live(workers, note="No worker reports: a long sentence that has to be wrapped.")

        lines = shown(one, width, height, page=page)

        assert len(lines) == height
        assert max(map(cell_len, lines)) <= width, (width, page)


def test_a_usual_terminal_has_all_of_it() -> None:
    text = "\n".join(shown(live()))

    for fact in ("requestQueue", "12", "35 s", "does not exist", "workers: 2 alive", "anna works 0.4 s", "ben", "20"):
        assert fact in text
    assert text.count("ben") == 10
    assert "2 invalid, 1 timeout" in text
    assert "q quit" in text


def test_a_long_problem_is_said_in_full_and_once() -> None:
    problem = "AWS rejects the credentials in ~/.aws/credentials: they have expired or are unknown."
    queues = [queue(name, "requests", "numbers", problem=problem) for name in ("requestQueue", "imageInbox")]

    text = " ".join(line.strip() for line in shown(live(queues=queues)))

    assert text.count("they have expired or are unknown.") == 1


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (100, 32)])
def test_the_help_is_whole(width: int, height: int) -> None:
    text = "\n".join(shown(live(), width, height, page="help"))

    assert "…" not in text
    assert "payload" in text
    assert "? goes back" in text


def test_what_cannot_be_read_any_more_is_not_said_to_be_alive() -> None:
    text = "\n".join(shown(live(note="What workers report cannot be read.", at=2_030.0)))

    assert "workers: 2 alive 31 s ago; nothing can be read now" in text


def test_requests_of_stopped_workers_are_kept_each_once() -> None:
    there, gone = worker(1), worker(2)
    one = live(0, workers=(there,), remembered=(*there.recent, *gone.recent))

    assert [found.id for found in one.requests(4)] == ["15f00dcafe", "25f00dcafe", "14f00dcafe", "24f00dcafe"]
    assert len(one.requests(100)) == 12


def test_many_workers_leave_room_for_requests() -> None:
    lines = shown(live(30))

    assert any("more" in line for line in lines)
    assert sum("ben" in line for line in lines) >= 4


def test_a_wide_terminal_shows_whole_ids() -> None:
    assert "15f00dcafe" not in "\n".join(shown(live()))
    assert "15f00dcafe" in "\n".join(shown(live(), 200, 60))


def test_paused_and_the_dead_letters_with_what_to_do() -> None:
    assert "paused" in shown(live(), is_paused=True)[-1]
    text = "\n".join(shown(live(), page="dead", clients={"numbers": "./run_local.sh numbers"}))
    assert "./run_local.sh numbers redrive" in text
    assert "requestQueue-dead: 3" in text


def test_foreign_text_is_escaped_everywhere() -> None:
    hostile = worker(
        1,
        host=HOSTILE,
        in_flight=(InFlight(id=HOSTILE, kind=HOSTILE, name=HOSTILE, state="working", since=1999.0),),
        recent=(Finished(id=HOSTILE, kind=HOSTILE, name=HOSTILE, outcome=HOSTILE, at=1999.0, milliseconds=None),),
        periods=(Period(begun=1995.0, answered=0, rejected={HOSTILE: 1}, times={}),),
    )
    one = live(0, workers=(hostile,))

    for line in (*shown(one, 200, 60), *(line.replace("\n", "\\n") for line in shown(one, 60, 20))):
        assert line.isprintable()
    row = json.dumps(one.as_json(), ensure_ascii=False)
    assert row.isprintable()
    validator("watch").validate(json.loads(row))


def test_with_ascii_only_nothing_else_is_shown() -> None:
    one = live(0, workers=(worker(1, host="日本の機械"),))

    for size in SIZES:
        assert all(line.isascii() for line in shown(one, *size, ascii_only=True))
    assert spark((0, 1, 8), 10, ascii_only=True).isascii()


def test_a_worker_that_is_late_is_said_to_be() -> None:
    late = replace(worker(1), written_at=1970.0)

    assert "silent for 30 s" in "\n".join(shown(live(0, workers=(late,)), 120, 30))
