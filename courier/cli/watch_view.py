"""The display of `watch`: lines for a terminal's size, from what goes on. Pure functions.

Every text that a worker or a client wrote is escaped here. No payload is among them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from courier.cli import layout
from courier.cli.watch_text import age, fitted, shown, spark
from courier.monitoring.live import LastMinute, Live, QueueNow
from courier.monitoring.summary import in_milliseconds, rejections
from courier.monitoring.worker_status import Finished, InFlight, WorkerStatus

#: The least and the most columns of a sparkline.
SPARK_COLUMNS = (8, 60)
#: The last requests on a usual terminal, and the least columns at which IDs are shown in full.
USUAL_REQUESTS = 10
WIDE = 110
#: The most columns of the table of requests.
WIDEST = 130
#: What people call the states of requests in flight.
STATES = {"received": "waits", "working": "works", "paused": "works", "parked": "retries", "replied": "replies"}
KEYS = "q quit   p pause   d dead letters   ? help"
HEAD, WRONG, DIM = "bold", "bold red", "dim"


@dataclass(frozen=True, kw_only=True)
class View:
    """What the user has chosen to see, and how the terminal shows it."""

    #: main, dead or help.
    page: str = "main"
    is_paused: bool = False
    ascii_only: bool = False
    #: The command line of each application's client.
    clients: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Cell:
    text: str
    width: int
    style: str = ""
    is_right: bool = False


def display(live: Live, width: int, height: int, view: View) -> list[Text]:
    """Return exactly `height` lines of at most `width` columns."""
    pages = {"dead": _dead_page, "help": _help_page}
    title, footer = _title(live, width, view), _footer(width, view)
    room = max(0, height - 2)
    body = pages[view.page](live, width, view) if view.page in pages else _main_page(live, width, room, view)
    body = body[:room] + [Text()] * (room - len(body))
    lines = [title, *body, footer][:height]
    for line in lines:
        line.truncate(width)  # where the terminal is narrower than any useful one
    return lines


def _line(cells: Iterable[_Cell], view: View) -> Text:
    line = Text(no_wrap=True)
    for cell in cells:
        line.append(fitted(cell.text, cell.width, is_right=cell.is_right, ascii_only=view.ascii_only), cell.style)
    return line


def _plain(text: str, width: int, view: View, style: str = "") -> Text:
    return _line([_Cell(text=text, width=width, style=style)], view)


def _title(live: Live, width: int, view: View) -> Text:
    clock = time.strftime("%H:%M:%S", time.localtime(live.at))
    where = [live.account, live.region, live.endpoint.removeprefix("http://")]
    texts = [shown("  ".join([*head, *filter(None, where)]), ascii_only=view.ascii_only) for head in (["Courier"], [])]
    text = next((text for text in texts if layout.cell_len(text) <= width - 9), texts[-1])
    return _line([_Cell(text=text, width=max(0, width - 9), style=HEAD), _Cell(text=f" {clock}", width=9)], view)


def _footer(width: int, view: View) -> Text:
    paused = " paused: p goes on " if view.is_paused else ""
    cells = [_Cell(text=KEYS, width=max(0, width - len(paused)), style=DIM)]
    return _line([*cells, _Cell(text=paused, width=len(paused), style="reverse")], view)


def _main_page(live: Live, width: int, room: int, view: View) -> list[Text]:
    top = [*_minute_lines(live.last_minutes(), width, view), *_queue_lines(live, width, view)]
    left = room - len(top) - 1
    workers = _worker_lines(live, width, view)
    requests = live.requests(max(USUAL_REQUESTS, room))
    # The requests have two lines at least, and the workers a third of what is left.
    most_workers = max(left // 3, left - 1 - len(requests), 2)
    return [*top, *_shortened(workers, most_workers, width, view), *_request_lines(requests, width, view)]


def _shortened(lines: list[Text], count: int, width: int, view: View) -> list[Text]:
    if len(lines) <= count:
        return lines
    return [*lines[: count - 1], _plain(f"and {len(lines) - count + 1} more", width, view, DIM)]


def _minute_lines(minutes: Sequence[LastMinute], width: int, view: View) -> list[Text]:
    rest = max(0, width - 12 - 12 - 12 - 10 - 10 - 2)

    def line(texts: Sequence[str], style: str, rejected: str) -> Text:
        widths = (12, 12, 12, 10, 10)
        cells = [_Cell(text=texts[0], width=12, style=style)]
        cells += [
            _Cell(text=text, width=size, style=rejected if index == 1 else style, is_right=True)
            for index, (text, size) in enumerate(zip(texts[1:5], widths[1:], strict=True))
        ]
        return _line([*cells, _Cell(text=f"  {texts[5]}", width=rest + 2, style=rejected or style)], view)

    found = [line(("", "answered/min", "rejected", "trip p50", "p95", "why rejected"), HEAD, HEAD)]
    for one in minutes:
        why = rejections(one.rejected).partition("(")[2].removesuffix(")")
        times = ["-" if value is None else in_milliseconds(value) for value in (one.p50, one.p95)]
        texts = (one.application, f"{one.answered:,}", f"{sum(one.rejected.values()):,}", *times)
        why = shown(why, ascii_only=view.ascii_only)
        found.append(line((shown(texts[0], ascii_only=view.ascii_only), *texts[1:], why), "", "yellow" if why else ""))
    return found


def _queue_lines(live: Live, width: int, view: View) -> list[Text]:
    queues = [one for one in live.queues if one.role != "dead"]
    fixed = 8 + 10 + 8 + 6
    longest = max([5, *(layout.cell_len(shown(one.name, ascii_only=view.ascii_only)) for one in queues)])
    name = max(5, min(longest, width - fixed - SPARK_COLUMNS[0] - 2))
    columns = min(SPARK_COLUMNS[1], width - fixed - name - 2)
    columns = columns if columns >= SPARK_COLUMNS[0] else 0
    head = ("queue", "waiting", "in flight", "oldest", "dead", "waiting, last minutes" if columns else "")
    return [
        _queue_line(head, (name, columns), HEAD, view),
        *(_queue_line(_queue_cells(one, live, columns, view), (name, columns), _style(one), view) for one in queues),
        *_problem_lines(queues, columns, width, view),
    ]


def _problem_lines(queues: Sequence[QueueNow], columns: int, width: int, view: View) -> list[Text]:
    """Return what a queue's own line has no room for, once if it is the same for several."""
    found = dict.fromkeys(shown(one.problem, ascii_only=view.ascii_only) for one in queues if one.problem)
    long = [problem for problem in found if layout.cell_len(problem) > columns]
    return [_plain(line, width, view, WRONG) for problem in long for line in layout.wrapped(problem, max(20, width))]


def _queue_cells(queue: QueueNow, live: Live, columns: int, view: View) -> tuple[str, ...]:
    name = shown(queue.name, ascii_only=view.ascii_only)
    if queue.problem:
        return name, "?", "?", "", "", shown(queue.problem, ascii_only=view.ascii_only)
    dead = live.dead_letters(queue.application) if queue.role == "requests" else None
    return (
        name,
        f"{queue.waiting + queue.delayed:,}",
        f"{queue.in_flight:,}",
        "-" if queue.oldest_seconds is None else age(queue.oldest_seconds),
        "" if queue.role != "requests" else "?" if dead is None else f"{dead:,}",
        spark(queue.history, columns, ascii_only=view.ascii_only) if columns else "",
    )


def _style(queue: QueueNow) -> str:
    return WRONG if queue.problem else ""


def _queue_line(texts: Sequence[str], widths: tuple[int, int], style: str, view: View) -> Text:
    numbers = [_right(text, size, style) for text, size in zip(texts[1:4], (8, 10, 8), strict=True)]
    has_dead = not style and bool(texts[4].strip("0?"))
    numbers.append(_right(texts[4], 6, WRONG if has_dead else style))
    name = _Cell(text=texts[0], width=widths[0], style=style)
    return _line([name, *numbers, _Cell(text=f"  {texts[5]}", width=widths[1] + 2, style=style)], view)


def _worker_lines(live: Live, width: int, view: View) -> list[Text]:
    if not live.workers:
        note = shown(live.note, ascii_only=view.ascii_only)
        lines = layout.wrapped(note, max(20, width))
        return [_plain("workers", width, view, HEAD), *(_plain(line, width, view, "yellow") for line in lines)]
    heads = [_plain(f"workers: {len(live.workers)} alive", width, view, HEAD)]
    if live.note:
        quiet = age(max(0.0, live.at - max(one.written_at for one in live.workers)))
        note = shown(live.note, ascii_only=view.ascii_only)
        texts = (f"workers: {len(live.workers)} alive {quiet} ago; nothing can be read now", note)
        heads = [_plain(text, width, view, WRONG) for text in texts]
    return [*heads, *(_worker_line(one, live.at, width, view) for one in live.workers)]


def _worker_line(worker: WorkerStatus, now: float, width: int, view: View) -> Text:
    host = shown(f"{worker.host}:{worker.process_id}", ascii_only=view.ascii_only)
    wide = max(16, min(40, width // 4))
    quiet = now - worker.written_at
    late = f" (silent for {age(quiet)})" if quiet > 1.5 * worker.beat_seconds else ""
    doing = "; ".join(_doing(one, now, width, view) for one in worker.in_flight) or "idle"
    name = shown(worker.application, ascii_only=view.ascii_only)
    up = f"up {age(now - worker.since)}"
    cells = [_Cell(text=name, width=9), _Cell(text=host, width=wide), _Cell(text=f" {up}{late}", width=11 + len(late))]
    used = sum(cell.width for cell in cells)
    text = f" {len(worker.in_flight)}: {doing}" if worker.in_flight else f" {doing}"
    return _line([*cells, _Cell(text=text, width=max(0, width - used))], view)


def _doing(one: InFlight, now: float, width: int, view: View) -> str:
    who = f" {shown(one.name, ascii_only=view.ascii_only)}" if one.name else ""
    state = STATES.get(one.state, "waits")
    return f"{_short(one.id, width, view)}{who} {state} {age(now - one.since)}"


def _short(request_id: str, width: int, view: View) -> str:
    text = shown(request_id, ascii_only=view.ascii_only)
    return text if width >= WIDE else text[:8]


def _request_lines(requests: Sequence[Finished], width: int, view: View) -> list[Text]:
    identity = 34 if width >= WIDE else 10
    rest = max(0, min(width, WIDEST) - 10 - 9 - identity - 11)
    who, outcome = rest // 2, rest - rest // 2
    head = (("last", 10), ("kind", 9), ("id", identity), ("who", who), ("outcome", outcome))
    found = [
        _line([*(_Cell(text=text, width=size, style=HEAD) for text, size in head), _right("time", 11, HEAD)], view)
    ]
    for one in requests:
        texts = (
            time.strftime("%H:%M:%S", time.localtime(one.at)),
            shown(one.kind, ascii_only=view.ascii_only),
            _short(one.id, width, view),
            shown(one.name, ascii_only=view.ascii_only) or "-",
            shown(one.outcome, ascii_only=view.ascii_only),
        )
        style = "" if one.outcome == "ok" else "yellow"
        cells = [_Cell(text=text, width=size, style=style) for text, (_, size) in zip(texts, head, strict=True)]
        took = "-" if one.milliseconds is None else in_milliseconds(one.milliseconds)
        found.append(_line([*cells, _right(took, 11, style)], view))
    return found


def _right(text: str, width: int, style: str) -> _Cell:
    return _Cell(text=text, width=width, style=style, is_right=True)


def _dead_page(live: Live, width: int, view: View) -> list[Text]:
    lines = [_plain("dead letters", width, view, HEAD)]
    for one in live.applications:
        count, client = live.dead_letters(one.name), view.clients.get(one.name, "")
        text = "unknown" if count is None else f"{count:,}"
        lines.append(_plain(f"{one.dead_letters}: {text}", width, view, WRONG if count else ""))
        if count and client:
            lines += [_plain(f"  show them:      {client} dead", width, view)]
            lines += [_plain(f"  send them back: {client} redrive", width, view)]
    return [*lines, Text(), _plain("d goes back", width, view, DIM)]


#: What the display's words mean.
_HELP = (
    ("answered/min, rejected", "by all workers, in the last minute"),
    ("trip p50, p95", "from sending to reply; at most a quarter high"),
    ("waiting, in flight", "as SQS counts them, which is about right"),
    ("last minutes", "waiting: the top is each queue's own most"),
    ("oldest", "by CloudWatch; else, for how long nothing has left"),
    ("dead", "requests in the dead-letter queue"),
    ("workers", "reported lately; the number of their requests, and some"),
    ("waits, works, replies", "not begun, in the handler, its reply is sent"),
    ("last, time", "when it was finished, and its trip"),
    ("q, p, d", "end, hold the display, show dead letters"),
    ("", "No payload is ever shown."),
)
#: The columns of the words, and the least beside them for what they mean.
_HELP_COLUMNS, _LEAST_BESIDE = 24, 30


def _help_page(_live: Live, width: int, view: View) -> list[Text]:
    lines = [_plain("help", width, view, HEAD)]
    for word, meaning in _HELP:
        is_beside = width >= _HELP_COLUMNS + _LEAST_BESIDE
        left = _HELP_COLUMNS if is_beside else 0
        texts = layout.wrapped(meaning, max(1, width - left))
        if not is_beside:
            lines.append(_plain(word, width, view, HEAD))
        for number, text in enumerate(texts):
            beside = word if is_beside and not number else ""
            lines.append(_line([_Cell(text=beside, width=left), _Cell(text=text, width=width - left)], view))
    return [*lines, Text(), _plain("? goes back", width, view, DIM)]
