"""What moves may report its progress to nobody, and without stages."""

from __future__ import annotations

from courier.progress import NO_PROGRESS, Progress


def test_progress_that_nobody_looks_at_takes_every_report() -> None:
    NO_PROGRESS.begin("a stage")
    NO_PROGRESS.expect(None)
    NO_PROGRESS.expect(5)
    NO_PROGRESS.advance(5)


def test_stages_need_not_be_shown() -> None:
    moved: list[int] = []
    progress = Progress(expect=lambda _total: None, advance=moved.append)

    progress.begin("a stage")
    progress.advance(2)

    assert moved == [2]
