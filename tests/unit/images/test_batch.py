"""Many images at once, over a bucket in memory and workers beside it; with real ones it is in tests/acceptance."""

from __future__ import annotations

import os
import random
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from courier import Request
from courier.errors import BucketMissing, CourierError, NotAnImage, Rejected, Unreachable, WrongUsage
from courier.images.batch import AHEAD, TRANSFERS, Batch, Task
from courier.images.pipeline import parse
from courier.images.results import INDEX
from courier.images.sources import Source, find_sources
from courier.images.transfer import LocalImage, Result, Uploaded
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, until
from tests.support.place import as_nobody, needs_root
from tests.support.transfers import LocalTransfer, made_of


class BatchHarness:
    """Runs over one folder of sources and one of results, and what was reported of them."""

    def __init__(self, aws: FakeAws, root: Path) -> None:
        self.transfer = LocalTransfer(aws)
        self.sources = root / "sources"
        self.results = root / "results"
        self.sources.mkdir()
        self.results.mkdir()
        self.outcomes: dict[str, tuple[Path | None, Result | CourierError]] = {}

    def image(self, name: str, color: int = 7, folder: Path | None = None) -> Path:
        path = (folder or self.sources) / name
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.new("L", (8, 4), color).save(path, "PNG")
        return path

    def run(
        self,
        *paths: Path,
        operations: str = "flip",
        replace: bool = False,
        to: Path | None = None,
        recursive: bool = False,
    ) -> None:
        self.outcomes = {}
        sources = find_sources([str(path) for path in paths], recursive=recursive).found
        self._run(operations, to=to or self.results, sources=sources, replace=replace)

    def run_sample(self) -> None:
        sample = [Source(path="")]
        self._run("flip", to=self.results, sources=sample, replace=False)

    def run_several(self, *paths: Path, operations: list[str]) -> dict[tuple[str, str], Result | CourierError]:
        """Run several pipelines; return what was reported, by file's name and operations."""
        outcomes: dict[tuple[str, str], Result | CourierError] = {}

        def tell(task: Task, _target: Path | None, result: Result | CourierError) -> None:
            assert (Path(task.path).name, task.operations) not in outcomes
            outcomes[Path(task.path).name, task.operations] = result

        pipelines = [parse(text) for text in operations]
        sources = find_sources([str(path) for path in paths]).found
        Batch(self.transfer, pipelines, self.results, sources, replace=False, report=tell).run()
        return outcomes

    def _run(self, operations: str, *, to: Path, sources: list[Source], replace: bool) -> None:
        Batch(self.transfer, [parse(operations)], to, sources, replace=replace, report=self._tell).run()

    def _tell(self, task: Task, target: Path | None, result: Result | CourierError) -> None:
        assert task.path not in self.outcomes
        self.outcomes[task.path] = target, result

    def error(self, path: Path) -> CourierError:
        target, result = self.outcomes[str(path)]
        assert target is None
        assert isinstance(result, CourierError)
        return result

    def was_there(self, path: Path) -> bool:
        _, result = self.outcomes[str(path)]
        assert isinstance(result, Result)
        return result.was_there

    @property
    def asked(self) -> list[str]:
        return [one.body for one in self.transfer.asked]


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket="bucket")
    return made


@pytest.fixture
def harness(aws: FakeAws, tmp_path: Path) -> BatchHarness:
    return BatchHarness(aws, tmp_path)


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder but the index."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != INDEX)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# All goes well


def test_every_file_is_uploaded_requested_and_fetched(harness: BatchHarness) -> None:
    paths = [harness.image(name, color) for color, name in enumerate(("a.png", "b.png", "c.png"))]

    harness.run(*paths)

    assert harness.asked == ["a.png", "b.png", "c.png"]
    assert content(harness.results) == {f"{path.stem}-flip.png": made_of(path.read_bytes(), "flip") for path in paths}
    assert {path: outcomes[0] for path, outcomes in harness.outcomes.items()} == {
        str(path): harness.results / f"{path.stem}-flip.png" for path in paths
    }


def test_the_sample_is_a_source_without_a_file(harness: BatchHarness) -> None:
    for _ in range(2):
        harness.run_sample()
        ((target, result),) = harness.outcomes.values()
        assert not isinstance(result, CourierError), result
        harness.outcomes.clear()

    assert target == harness.results / "sample-flip.png"
    assert harness.asked == ["sample.png"]


def test_what_goes_wrong_with_one_concerns_no_other(harness: BatchHarness) -> None:
    paths = [harness.image(name, color) for color, name in enumerate(("a.png", "b.png", "c.png", "d.png"))]
    paths[3].write_text("no image")
    harness.transfer.errors = {"a.png": NotAnImage("None."), "b-flip.png": Rejected("Gone.")}

    harness.run(*paths)

    assert {Path(path).name: type(result) for path, (_, result) in harness.outcomes.items()} == {
        "a.png": NotAnImage,
        "b.png": Rejected,
        "c.png": Result,
        "d.png": NotAnImage,
    }
    assert list(content(harness.results)) == ["c-flip.png"]


def test_a_few_are_uploaded_ahead_and_no_more(harness: BatchHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [harness.image(f"{number:02}.png", number) for number in range(AHEAD + 20)]
    free = threading.Event()
    under_way: list[int] = []
    upload = harness.transfer.upload_apart

    def hold(image: LocalImage, **more: Any) -> Uploaded:
        under_way.append(len(under_way) + 1 - len(harness.asked))
        assert free.wait(WAIT_LIMIT_SECONDS)
        return upload(image, **more)

    monkeypatch.setattr(harness.transfer, "upload_apart", hold)
    running = threading.Thread(target=harness.run, args=paths)
    running.start()
    until(lambda: len(under_way) == TRANSFERS)
    free.set()
    running.join(WAIT_LIMIT_SECONDS)

    assert len(harness.outcomes) == AHEAD + 20
    assert max(under_way) <= AHEAD + TRANSFERS


def test_an_aws_error_ends_the_batch(harness: BatchHarness) -> None:
    def fail(requests: Iterable[Request | CourierError | None]) -> Iterator[Result | CourierError]:
        next(iter(requests))
        raise Unreachable
        yield

    harness.transfer.results = fail  # type: ignore[method-assign]

    with pytest.raises(Unreachable):
        harness.run(harness.image("a.png"), harness.image("b.png"))


def test_an_aws_that_lacks_something_is_reported_at_once_and_not_for_each_file(
    harness: BatchHarness, aws: FakeAws
) -> None:
    aws.objects.buckets.clear()

    with pytest.raises(BucketMissing):
        harness.run(*(harness.image(f"{number}.png") for number in range(3 * AHEAD)))

    assert harness.outcomes == {}
    assert len(aws.objects.operations) <= 2 * (AHEAD + TRANSFERS)


def test_an_aws_error_in_one_upload_costs_the_others_nothing(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [harness.image(f"{number}.png", number) for number in range(3)]
    upload = harness.transfer.upload_apart

    def fail(image: LocalImage, **more: Any) -> Uploaded:
        if image.name == "1.png":
            raise Unreachable
        return upload(image, **more)

    monkeypatch.setattr(harness.transfer, "upload_apart", fail)

    harness.run(*paths)

    assert isinstance(harness.error(paths[1]), Unreachable)
    assert sorted(content(harness.results)) == ["0-flip.png", "2-flip.png"]


def test_a_bug_in_a_download_is_raised(harness: BatchHarness) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError

    harness.transfer.before_fetch = fail

    with pytest.raises(ZeroDivisionError):
        harness.run(harness.image("a.png"))


def test_a_worker_that_makes_another_format_is_not_believed(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.image("a.png")
    monkeypatch.setattr(harness.transfer, "_made", lambda _: Result(name="a.png.flip.webp"))

    harness.run(path)

    assert "a.png.flip.webp" in harness.error(path).message
    assert content(harness.results) == {}


# Several results of one upload


def test_each_file_is_uploaded_once_for_several_results(harness: BatchHarness, aws: FakeAws) -> None:
    paths = [harness.image(name, color) for color, name in enumerate(("a.png", "b.png"))]

    outcomes = harness.run_several(*paths, operations=["flip", "sepia,convert=webp"])

    assert [type(result) for result in outcomes.values()] == [Result] * 4
    assert harness.asked == ["a.png", "a.png", "b.png", "b.png"]
    puts = [name for name in aws.objects.buckets["bucket"] if name.startswith("images/unprocessed/")]
    assert sorted(puts) == ["images/unprocessed/a.png", "images/unprocessed/b.png"]
    assert content(harness.results) == {
        name: made_of(path.read_bytes(), operations)
        for path in paths
        for name, operations in (
            (f"{path.stem}-flip.png", "flip"),
            (f"{path.stem}.png.sepia.webp", "sepia,convert=webp"),
        )
    }


def test_only_missing_results_are_made_again(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    harness.run(path)
    before = len(harness.asked)

    first = harness.run_several(path, operations=["flip", "flop"])
    second = harness.run_several(path, operations=["flip", "flop"])

    assert [one.was_there for one in first.values() if isinstance(one, Result)] == [True, False]
    assert [one.was_there for one in second.values() if isinstance(one, Result)] == [True, True]
    assert len(harness.asked) == before + 1
    assert sorted(content(harness.results)) == ["a-flip.png", "a-flop.png"]


def test_what_stands_in_the_way_of_one_result_does_not_concern_the_other(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    (harness.results / "a-flip.png").write_bytes(b"mine")

    outcomes = harness.run_several(path, operations=["flip", "flop"])

    assert isinstance(outcomes["a.png", "flip"], WrongUsage)
    assert isinstance(outcomes["a.png", "flop"], Result)
    assert content(harness.results)["a-flip.png"] == b"mine"


def test_an_error_of_a_file_is_reported_for_each_of_its_results(harness: BatchHarness) -> None:
    bad = harness.sources / "bad.png"
    bad.write_bytes(b"none")

    outcomes = harness.run_several(bad, harness.image("a.png"), operations=["flip", "flop"])

    assert [type(one) for one in outcomes.values()].count(Result) == 2
    assert {name for name, result in outcomes.items() if isinstance(result, NotAnImage)} == {
        ("bad.png", "flip"), ("bad.png", "flop"),
    }  # fmt: skip


def test_an_upload_that_fails_is_reported_for_the_missing_results_alone(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = harness.image("a.png", 1), harness.image("b.png", 2)
    harness.run(second)

    def fail(image: LocalImage, **more: Any) -> Uploaded:
        if image.name == "b.png":
            raise Rejected("Not this one.")
        return upload(image, **more)

    upload = harness.transfer.upload_apart
    monkeypatch.setattr(harness.transfer, "upload_apart", fail)

    outcomes = harness.run_several(first, second, operations=["flip", "flop"])

    assert isinstance(outcomes["b.png", "flip"], Result)
    assert isinstance(outcomes["b.png", "flop"], Rejected)


def test_two_results_of_one_name_are_rejected_and_the_first_is_made(harness: BatchHarness) -> None:
    path = harness.image("a.png")

    outcomes = harness.run_several(path, operations=["flip", "flip,convert=png"])

    error = outcomes["a.png", "flip,convert=png"]
    assert isinstance(error, Rejected)
    assert "both flip and flip,convert=png" in error.message
    assert content(harness.results) == {"a-flip.png": made_of(path.read_bytes(), "flip")}


# What is there already


def test_a_second_run_does_nothing_and_asks_aws_nothing(harness: BatchHarness, aws: FakeAws) -> None:
    path = harness.image("a.png")
    harness.run(path)
    before = len(aws.objects.operations)

    harness.run(path)

    assert harness.was_there(path)
    assert len(aws.objects.operations) == before


@pytest.mark.parametrize("age_seconds", [-1_000, 0, 1_000])
def test_a_source_that_was_replaced_has_a_new_result_however_old_it_is(harness: BatchHarness, age_seconds: int) -> None:
    path = harness.image("a.png", 1)
    harness.run(path)
    result = harness.results / "a-flip.png"
    harness.image("a.png", 2)
    os.utime(path, (result.stat().st_mtime + age_seconds,) * 2)

    harness.run(path)

    assert not harness.was_there(path)
    assert result.read_bytes() == made_of(path.read_bytes(), "flip")


@pytest.mark.parametrize("age_seconds", [-1_000, 1_000])
def test_the_users_own_file_is_neither_overwritten_nor_taken_for_the_result(
    harness: BatchHarness, age_seconds: int
) -> None:
    path = harness.image("photo.png")
    own = harness.results / "photo-300x200.png"
    own.write_bytes(b"mine")
    os.utime(own, (path.stat().st_mtime + age_seconds,) * 2)

    harness.run(path, operations="resize=300x200")

    assert isinstance(harness.error(path), WrongUsage)
    assert "photo-300x200.png" in harness.error(path).message
    assert {"--replace", "--to"} <= set(harness.error(path).hint.replace(",", " ").replace(".", " ").split())
    assert own.read_bytes() == b"mine"
    assert harness.asked == []


def test_a_result_that_the_user_has_changed_is_the_users(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    harness.run(path)
    result = harness.results / "a-flip.png"
    result.write_bytes(b"retouched")

    harness.run(path)
    harness.image("a.png", 9)
    unchanged = harness.error(path)
    harness.run(path)

    assert isinstance(unchanged, WrongUsage)
    assert isinstance(harness.error(path), WrongUsage)
    assert result.read_bytes() == b"retouched"


def test_a_result_of_another_source_and_pipeline_is_not_overwritten(harness: BatchHarness) -> None:
    first = harness.image("a.png", 1)
    second = harness.image("a-flip.png", 2)
    harness.run(first, operations="flip,grayscale")

    harness.run(second, operations="grayscale")

    assert isinstance(harness.error(second), WrongUsage)
    assert content(harness.results) == {"a-flip-grayscale.png": made_of(first.read_bytes(), "flip,grayscale")}


def test_replace_overwrites_what_is_there(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    (harness.results / "a-flip.png").write_bytes(b"mine")

    harness.run(path, replace=True)
    harness.run(path, replace=True)

    assert (harness.results / "a-flip.png").read_bytes() == made_of(path.read_bytes(), "flip")
    assert harness.asked == ["a.png"] * 2


def test_a_file_that_appears_meanwhile_is_not_overwritten(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    harness.transfer.before_fetch = lambda name: (harness.results / name).write_bytes(b"mine")

    harness.run(path)

    assert isinstance(harness.error(path), WrongUsage)
    assert content(harness.results) == {"a-flip.png": b"mine"}


def test_without_its_index_a_folder_has_no_results(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    harness.run(path)
    (harness.results / INDEX).unlink()

    harness.run(path)

    assert isinstance(harness.error(path), WrongUsage)


def test_a_folder_of_results_may_be_moved_and_a_source_too(harness: BatchHarness, tmp_path: Path) -> None:
    path = harness.image("a.png")
    harness.run(path)
    harness.results.rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    path = path.rename(tmp_path / "elsewhere/a.png")

    harness.run(path, to=tmp_path / "moved")

    assert harness.was_there(path)


def test_where_both_are_moved_together_a_result_is_made_again_from_a_new_source(
    harness: BatchHarness, tmp_path: Path
) -> None:
    harness.run(harness.image("a.png", 1))
    moved = tmp_path / "moved"
    moved.mkdir()
    for folder in (harness.sources, harness.results):
        folder.rename(moved / folder.name)
    path = harness.image("a.png", 2, moved / "sources")
    (tmp_path / "link").symlink_to(moved / "sources")

    harness.run(tmp_path / "link/a.png", to=moved / "results")

    assert not harness.was_there(tmp_path / "link/a.png")
    assert content(moved / "results") == {"a-flip.png": made_of(path.read_bytes(), "flip")}


def test_the_result_of_another_folders_source_of_the_same_name_is_not_overwritten(harness: BatchHarness) -> None:
    first, second = harness.image("a.png", 1), harness.image("a.png", 2, harness.sources / "other")
    harness.run(first)

    harness.run(second)

    assert isinstance(harness.error(second), WrongUsage)
    assert content(harness.results) == {"a-flip.png": made_of(first.read_bytes(), "flip")}


def test_the_samples_result_takes_no_users_one_and_the_other_way_round(harness: BatchHarness) -> None:
    path = harness.image("sample.png")
    harness.run_sample()

    harness.run(path)

    assert isinstance(harness.error(path), WrongUsage)


def test_a_source_that_changes_while_it_is_worked_on_has_a_new_result_the_next_time(harness: BatchHarness) -> None:
    path = harness.image("a.png", 1)
    before = path.read_bytes()
    harness.transfer.before_work = lambda _: harness.image("a.png", 2)

    harness.run(path)
    first = content(harness.results)
    harness.transfer.before_work = lambda _: None
    harness.run(path)

    assert first == {"a-flip.png": made_of(before, "flip")}
    assert content(harness.results) == {"a-flip.png": made_of(path.read_bytes(), "flip")}
    assert path.read_bytes() != before


def test_names_that_differ_in_their_encoding_alone_have_results_of_their_own_where_files_have(
    harness: BatchHarness,
) -> None:
    names = [unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")]
    paths = [harness.image(f"{name}.png", number) for number, name in enumerate(names)]

    for _ in range(2):
        harness.run(*paths)

    assert content(harness.results) == {
        f"{name}-flip.png": made_of(path.read_bytes(), "flip") for name, path in zip(names, paths, strict=True)
    }
    assert all(harness.was_there(path) for path in paths)


def test_results_are_no_sources(harness: BatchHarness) -> None:
    harness.image("a.png", 1)
    harness.image("b.png", 2)

    for _ in range(3):
        harness.run(harness.sources, to=harness.sources)

    assert sorted(content(harness.sources)) == ["a-flip.png", "a.png", "b-flip.png", "b.png"]
    assert all(isinstance(result, Result) and result.was_there for _, result in harness.outcomes.values())


def test_two_runs_at_once_in_one_folder_agree(aws: FakeAws, harness: BatchHarness) -> None:
    paths = [harness.image(f"{number:02}.png", number) for number in range(12)]
    other = BatchHarness.__new__(BatchHarness)
    other.transfer, other.results, other.outcomes = LocalTransfer(aws), harness.results, {}

    runs = [threading.Thread(target=one.run, args=paths) for one in (harness, other)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(WAIT_LIMIT_SECONDS)

    for one in (harness, other):
        assert {path for path, (target, _) in one.outcomes.items() if target} == {str(path) for path in paths}
    assert content(harness.results) == {f"{path.stem}-flip.png": made_of(path.read_bytes(), "flip") for path in paths}


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_was_interrupted_anywhere_ends_like_an_undisturbed_one(
    harness: BatchHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Between any two writes to the folder; with processes that are killed it is in tests/acceptance."""
    chosen = random.Random(seed)
    paths = [harness.image(f"{number}.png", number) for number in range(6)]
    links = os.link

    def interrupted(*arguments: object) -> None:
        if chosen.random() < 0.4:
            raise SystemExit
        links(*arguments)  # type: ignore[arg-type]

    for _ in range(3):
        monkeypatch.setattr("os.link", interrupted)
        with pytest.raises(SystemExit):
            while True:
                harness.run(*paths)
                for file in harness.results.glob("*.png"):
                    file.unlink()
    monkeypatch.undo()
    harness.run(*paths)
    (tmp_path / "other").mkdir()
    whole = content(harness.results)
    harness.run(*paths, to=tmp_path / "other")

    assert whole == content(tmp_path / "other")
    assert len(whole) == 6


# What stands in the way


def test_a_second_file_of_a_name_is_rejected_with_the_firsts(harness: BatchHarness) -> None:
    first, second = harness.image("a.png"), harness.image("a.png", folder=harness.sources / "other")

    harness.run(first, second)

    assert str(first) in harness.error(second).message
    assert harness.asked == ["a.png"]


def test_images_of_one_name_in_several_folders_are_all_done_with_recursive(harness: BatchHarness) -> None:
    paths = [
        harness.image("a.png", number, harness.sources / folder) for number, folder in enumerate((".", "x", "x/y"))
    ]

    harness.run(harness.sources, recursive=True)
    harness.run(harness.sources, recursive=True)

    places = ("a-flip.png", "x/a-flip.png", "x/y/a-flip.png")
    assert content(harness.results) == {
        place: made_of(path.read_bytes(), "flip") for place, path in zip(places, paths, strict=True)
    }
    assert all(harness.was_there(path) for path in paths)
    assert len(harness.asked) == 3


def test_anothers_image_of_the_same_name_in_the_bucket_stays_and_is_in_nobodys_way(
    harness: BatchHarness, aws: FakeAws
) -> None:
    path = harness.image("a.png")
    aws.objects.put_object(Bucket="bucket", Key="images/unprocessed/a.png", Body=b"theirs")

    harness.run(path)

    assert content(harness.results) == {"a-flip.png": made_of(path.read_bytes(), "flip")}
    assert aws.objects.buckets["bucket"]["images/unprocessed/a.png"].content == b"theirs"


@pytest.mark.parametrize("replace", [False, True])
def test_a_source_is_never_overwritten(harness: BatchHarness, *, replace: bool) -> None:
    first, second = harness.image("a.png", 1), harness.image("a-flip.png", 2)
    before = second.read_bytes()

    harness.run(first, second, to=harness.sources, replace=replace)

    assert isinstance(harness.error(first), WrongUsage)
    assert second.read_bytes() == before
    assert harness.outcomes[str(second)][0] == harness.sources / "a-flip-flip.png"


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize("replace", [False, True])
def test_another_name_of_a_source_is_never_overwritten(harness: BatchHarness, link: object, *, replace: bool) -> None:
    first, second = harness.image("a.png", 1), harness.image("b.png", 2)
    link(second, harness.sources / "a-flip.png")  # type: ignore[operator]

    harness.run(first, harness.sources / "a-flip.png", to=harness.sources, replace=replace)

    assert isinstance(harness.error(first), WrongUsage)
    assert (harness.sources / "a-flip.png").samefile(second)


def test_a_link_to_a_file_of_the_users_stays(harness: BatchHarness, tmp_path: Path) -> None:
    path = harness.image("a.png")
    (tmp_path / "mine").write_bytes(b"mine")
    for name, place in (("a-flip.png", tmp_path / "mine"), ("a-flop.png", tmp_path / "nowhere")):
        (harness.results / name).symlink_to(place)

    harness.run(path)
    first = harness.error(path)
    harness.run(path, operations="flop")

    assert isinstance(first, WrongUsage)
    assert isinstance(harness.error(path), WrongUsage)
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_result_that_was_moved_behind_a_link_is_there_and_is_not_overwritten(
    harness: BatchHarness, tmp_path: Path
) -> None:
    path = harness.image("a.png", 1)
    harness.run(path)
    result = harness.results / "a-flip.png"
    result.rename(tmp_path / "archived.png")
    result.symlink_to(tmp_path / "archived.png")

    harness.run(path)
    was_there = harness.was_there(path)
    harness.image("a.png", 2)
    harness.run(path)

    assert was_there
    assert isinstance(harness.error(path), WrongUsage)


def test_a_copy_of_a_result_by_a_hard_link_stays_when_the_result_is_made_again(
    harness: BatchHarness, tmp_path: Path
) -> None:
    path = harness.image("a.png", 1)
    harness.run(path)
    (tmp_path / "copy.png").hardlink_to(harness.results / "a-flip.png")
    before = (tmp_path / "copy.png").read_bytes()
    harness.image("a.png", 2)

    harness.run(path)

    assert (tmp_path / "copy.png").read_bytes() == before
    assert (harness.results / "a-flip.png").read_bytes() != before


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_in_a_results_place_stays(harness: BatchHarness, *, replace: bool) -> None:
    path = harness.image("a.png")
    (harness.results / "a-flip.png").mkdir()

    harness.run(path, replace=replace)

    assert "is a folder" in harness.error(path).message
    assert harness.asked == []


def test_a_pipe_in_a_results_place_is_not_waited_for(harness: BatchHarness) -> None:
    path = harness.image("a.png")
    harness.run(path)
    (harness.results / "a-flip.png").unlink()
    os.mkfifo(harness.results / "a-flip.png")

    harness.run(path)

    assert isinstance(harness.error(path), WrongUsage)


@pytest.mark.parametrize("replace", [False, True])
def test_a_result_of_this_run_is_not_overwritten_by_another_whose_name_leads_to_it(
    harness: BatchHarness, *, replace: bool
) -> None:
    """As where case counts for nothing, or how a letter is encoded: here it is a link that leads there."""
    first, second = harness.image("a.png", 1), harness.image("A.png", 2)

    def lead_there(name: str) -> None:
        if name.startswith("A"):
            until((harness.results / "a-flip.png").exists)
            (harness.results / name).hardlink_to(harness.results / "a-flip.png")

    harness.transfer.before_fetch = lead_there

    harness.run(first, second, replace=replace)

    assert isinstance(harness.error(second), WrongUsage)
    assert (harness.results / "A-flip.png").read_bytes() == made_of(first.read_bytes(), "flip")


@needs_root
def test_a_folder_that_nothing_can_be_saved_in_is_said_once_before_anything_is_uploaded(harness: BatchHarness) -> None:
    paths = [harness.image(f"{number}.png", number) for number in range(5)]
    harness.run(paths[0])
    with as_nobody(harness.results):
        harness.run(paths[0])
        assert harness.was_there(paths[0])
        with pytest.raises(WrongUsage, match="Nothing can be saved in"):
            harness.run(*paths)

    assert harness.asked == ["0.png"]


def test_what_killed_programs_were_writing_is_removed(harness: BatchHarness) -> None:
    (harness.results / ".courier-abcd1234").write_bytes(b"half")

    harness.run(harness.image("a.png"))

    assert list(content(harness.results)) == ["a-flip.png"]
