"""What may be large, one entry each: its sizes, and what is measured at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.growth import clients, images, lists, queues
from bench.growth.site import Figures, Site, Size

Measure = Callable[[Site, Size], Figures]
#: The program, and the bare loop that does the same on the same local AWS.
BESIDE = ("worker", "bare loop")


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A size that grows, and the contestants that are measured at each value of it, in turn."""

    #: What the size counts, as an axis has it.
    unit: str
    #: What the time is that is measured.
    time: str
    sizes: Sequence[Size]
    quick: Sequence[Size]
    measures: Mapping[str, Measure]
    #: A contestant, and the bare loop whose growth is not the contestant's own.
    beside: tuple[str, str] | None = None
    #: How often each size is measured, up to `rounds_until`; larger ones once.
    rounds: int = 1
    rounds_until: Size = float("inf")
    #: The largest size of a contestant that does not go to the end.
    limits: Mapping[str, Size] = field(default_factory=dict)

    def sizes_of(self, name: str, *, quick: bool) -> list[Size]:
        """Return the sizes at which a contestant is measured."""
        sizes = self.quick if quick else self.sizes
        return [size for size in sizes if size <= self.limits.get(name, size)]


def _counted(measure: Callable[[str, Site, Size], Figures]) -> dict[str, Measure]:
    return {"worker": partial(measure, "courier"), "bare loop": partial(measure, "bare")}


DIMENSIONS = {
    "queued": Dimension(
        unit="queued requests",
        time="until the queue is empty",
        sizes=(100, 1_000, 3_000, 10_000),
        quick=(100, 1_000),
        measures=_counted(queues.drained),
        beside=BESIDE,
        rounds=2,
        rounds_until=1_000,
    ),
    "backlog": Dimension(
        unit="waiting requests",
        time=f"of the first {queues.ANSWERED:,} responses",
        sizes=(1_000, 10_000, 100_000),
        quick=(1_000, 3_000),
        measures=_counted(queues.backlog),
        beside=BESIDE,
        rounds=2,
        rounds_until=1_000,
    ),
    "workers": Dimension(
        unit="workers",
        time=f"until {queues.SHARED:,} requests are answered",
        sizes=(1, 2, 4),
        quick=(1, 2),
        measures=queues.WORKERS,
        beside=("workers", "bare loops"),
    ),
    "messages": Dimension(
        unit="KB per message",
        time=f"until {queues.SENT} requests are answered",
        sizes=(1, 10, 100, 1_000),
        quick=(1, 10, 100),
        measures=_counted(queues.messages),
        beside=BESIDE,
        rounds=2,
        rounds_until=10,
    ),
    "lists": Dimension(
        unit="numbers in a list",
        time="from text to all statistics",
        sizes=(1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000),
        quick=(1_000, 10_000, 100_000, 1_000_000),
        measures={"the reader": lists.reader, "client, bucket and worker": lists.whole},
        rounds=3,
        rounds_until=1_000_000,
        limits={"client, bucket and worker": 10_000_000},
    ),
    "images": Dimension(
        unit="megapixels",
        time="from file to file in memory",
        sizes=(0.1, 0.3, 1, 3, 10, 30, 100),
        quick=(0.1, 1, 10),
        measures={
            f"{way}, {operation.partition('=')[0]}": partial(images.worked, name, operation)
            for operation in ("grayscale", "thumbnail=800")
            for way, name in (("Courier", "courier"), ("Pillow", "pillow"))
        },
        rounds=3,
        rounds_until=10,
    ),
    "clients": Dimension(
        unit="clients at once",
        time="of the median round trip",
        sizes=(1, 3, 10, 30, 100),
        quick=(1, 4),
        measures={
            "one shared reply queue": partial(clients.waited, 0.0),
            "a reply queue each": partial(clients.waited, 1.0),
        },
    ),
}
