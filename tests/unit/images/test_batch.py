"""Many pictures at once, by a gallery that a test stands in for; with real workers it is in tests/acceptance."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from courier.errors import CourierError, NotAPicture, Rejected, Unreachable, WrongUsage
from courier.images.batch import AHEAD, TRANSFERS, Batch, expanded
from courier.images.pipeline import parse
from courier.images.probe import Header
from courier.images.transfer import ImageTransfer, Result, Uploaded
from courier.messaging.pending import Asked, Question
from tests.support.fakes import PATIENCE_SECONDS, until

HEADER = Header(format="PNG", width=8, height=4, is_moving=False)


class FakeGallery:
    """Uploads to nowhere, and has results at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.uploaded: list[str] = []
        self.asked: list[Question] = []
        self.downloaded: list[tuple[str, str, bool]] = []
        #: What goes wrong, by the file's or the result's name.
        self.errors: dict[str, CourierError] = {}
        self.during_upload: Callable[[str], object] = lambda _name: None
        self.during_download: Callable[[str], object] = lambda _name: None

    def read(self, path: str) -> tuple[str, bytes, Header]:
        if not Path(path).is_file():
            raise WrongUsage("There is no such file.")
        return Path(path).name, b"", HEADER

    def upload(self, path: str, *, may_replace: Callable[[str], bool], **_: Any) -> Uploaded:
        name = Path(path).name
        with self.lock:
            self.uploaded.append(name)
        self.during_upload(name)
        if name in self.errors:
            raise self.errors[name]
        return Uploaded(name=name, etag=f'"{name}"', header=HEADER, size_bytes=1, was_there=may_replace(name))

    def results(self, asked: Iterable[Asked], sources: Sequence[str]) -> Iterator[Result | CourierError]:
        left = iter(sources)
        for one in asked:
            if one is None:
                continue
            source = Path(next(left)).name
            if isinstance(one, Question):
                self.asked.append(one)
                stem = source.rpartition(".")[0]
                yield Result(source=source, name=f"{stem}-flip.png", seconds=1.0, told={"etag": f'"{stem}"'})
            else:
                yield one

    def download(self, name: str, target: Path, *, etag: str, replace: bool, **_: Any) -> None:
        self.during_download(name)
        if name in self.errors:
            raise self.errors[name]
        with self.lock:
            self.downloaded.append((name, etag, replace))
        target.write_bytes(b"x")


class Album:
    """A batch on its way, and what is told of it."""

    def __init__(self, folder: Path, *, replace: bool = False) -> None:
        self.transfer = FakeGallery()
        self.told: dict[str, tuple[Path | None, Result | CourierError]] = {}
        self.folder = folder
        self.batch = Batch(
            cast("ImageTransfer", self.transfer),
            parse("flip"),
            folder,
            replace=replace,
            moved=lambda _: None,
            told=self._tell,
        )

    def _tell(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        assert path not in self.told
        self.told[path] = target, result

    def run(self, *paths: Path) -> None:
        self.batch.run([str(path) for path in paths])


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def album(tmp_path: Path) -> Album:
    folder = tmp_path / "results"
    folder.mkdir()
    return Album(folder)


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(b"1")
    return [folder / name for name in names]


def test_every_file_is_uploaded_asked_for_and_fetched(album: Album, sources: Path) -> None:
    paths = files(sources, "a.png", "b.png", "c.png")

    album.run(*paths)

    assert sorted(album.transfer.uploaded) == ["a.png", "b.png", "c.png"]
    assert [(one.body, one.options) for one in album.transfer.asked] == [
        (path.name, {"operations": "flip", "etag": f'"{path.name}"'}) for path in paths
    ]
    assert sorted(album.transfer.downloaded) == [(f"{stem}-flip.png", f'"{stem}"', False) for stem in "abc"]
    assert {path: told[0] for path, told in album.told.items()} == {
        str(path): album.folder / f"{path.stem}-flip.png" for path in paths
    }


def test_nothing_is_replaced_in_the_bucket_unless_all_is(album: Album, sources: Path, tmp_path: Path) -> None:
    (path,) = files(sources, "a.png")
    replacing = Album(tmp_path / "results", replace=True)
    told: list[bool] = []
    for one in (album, replacing):
        upload = one.transfer.upload

        def noted(path: str, upload: Any = upload, **more: Any) -> Uploaded:
            told.append(more["may_replace"]("a.png"))
            uploaded: Uploaded = upload(path, **more)
            return uploaded

        one.transfer.upload = noted  # type: ignore[method-assign]
        one.run(path)

    assert told == [False, True]
    assert [one[2] for one in replacing.transfer.downloaded] == [True]


def test_what_goes_wrong_with_one_concerns_no_other(album: Album, sources: Path) -> None:
    paths = files(sources, "a.png", "b.png", "c.png")
    album.transfer.errors = {"a.png": NotAPicture("None."), "b-flip.png": Rejected("Gone.")}

    album.run(*paths)

    found = {Path(path).name: (target, type(result)) for path, (target, result) in album.told.items()}
    assert found == {
        "a.png": (None, NotAPicture),
        "b.png": (None, Rejected),
        "c.png": (album.folder / "c-flip.png", Result),
    }


def test_a_second_file_of_a_name_is_refused_with_the_firsts(album: Album, sources: Path) -> None:
    other = sources / "other"
    other.mkdir()
    (first,), (second,) = files(sources, "a.png"), files(other, "a.png")

    album.run(first, second)

    target, error = album.told[str(second)]
    assert target is None
    assert isinstance(error, Rejected)
    assert str(first) in error.message
    assert album.transfer.uploaded == ["a.png"]


def test_a_result_that_is_there_and_newer_is_not_made_again(album: Album, sources: Path) -> None:
    (path,) = files(sources, "a.png")
    (there,) = files(album.folder, "a-flip.png")
    os.utime(path, (1000, 1000))

    album.run(path)

    assert album.told[str(path)] == (there, Result(source="a.png", name="a-flip.png", seconds=0.0))
    assert album.transfer.uploaded == []


@pytest.mark.parametrize(("content", "age"), [(b"x", 1000), (b"", 0)])
def test_a_result_that_is_older_or_empty_is_made_again_and_replaced(
    album: Album, sources: Path, content: bytes, age: int
) -> None:
    (path,) = files(sources, "a.png")
    there = album.folder / "a-flip.png"
    there.write_bytes(content)
    os.utime(there, (there.stat().st_mtime - age,) * 2)

    album.run(path)

    assert album.transfer.downloaded == [("a-flip.png", '"a"', True)]
    assert album.batch.stale == {there}


def test_of_the_same_age_it_is_there(album: Album, sources: Path) -> None:
    (path,) = files(sources, "a.png")
    (there,) = files(album.folder, "a-flip.png")
    for one in (path, there):
        os.utime(one, (1000, 1000))

    assert album.batch.is_there(str(path))


def test_with_replace_nothing_counts_as_there(sources: Path, tmp_path: Path) -> None:
    album = Album(tmp_path, replace=True)
    (path,) = files(sources, "a.png")
    files(tmp_path, "a-flip.png")
    os.utime(path, (1000, 1000))

    assert not album.batch.is_there(str(path))


def test_a_file_that_cannot_be_read_is_its_uploads_to_tell(album: Album, sources: Path) -> None:
    assert not album.batch.is_there(str(sources / "missing.png"))

    assert album.told == {}


def test_a_few_are_uploaded_ahead_and_no_more(album: Album, sources: Path) -> None:
    paths = files(sources, *(f"{number:02}.png" for number in range(AHEAD + 20)))
    free = threading.Event()
    under_way: list[int] = []

    def hold(_: str) -> None:
        under_way.append(len(album.transfer.uploaded) - len(album.transfer.asked))
        assert free.wait(PATIENCE_SECONDS)

    album.transfer.during_upload = hold
    running = threading.Thread(target=album.run, args=paths)
    running.start()
    until(lambda: len(album.transfer.uploaded) == TRANSFERS)
    free.set()
    running.join(PATIENCE_SECONDS)

    assert len(album.told) == AHEAD + 20
    assert max(under_way) <= AHEAD + TRANSFERS


def test_trouble_with_aws_ends_the_batch(album: Album, sources: Path) -> None:
    def fail(asked: Iterable[Asked], sources: Sequence[str]) -> Iterator[Result | CourierError]:  # noqa: ARG001  as it is called
        next(iter(asked))
        raise Unreachable
        yield

    album.transfer.results = fail  # type: ignore[method-assign]

    with pytest.raises(Unreachable):
        album.run(*files(sources, "a.png", "b.png"))


def test_a_bug_in_a_download_is_raised(album: Album, sources: Path) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError

    album.transfer.during_download = fail

    with pytest.raises(ZeroDivisionError):
        album.run(*files(sources, "a.png"))


# Which files are meant


def test_a_folder_is_the_pictures_in_it(sources: Path) -> None:
    files(sources, "b.png", "a.JPG", "c.txt")
    (sources / "folder.png").mkdir()

    assert expanded([str(sources)]) == [str(sources / "a.JPG"), str(sources / "b.png")]


def test_a_pattern_is_what_it_matches(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(sources, "b.png", "a.png", "c.jpg")
    (sources / "d.png").mkdir()
    monkeypatch.chdir(sources)

    assert expanded(["*.png"]) == ["a.png", "b.png"]
    assert expanded([str(sources / "?.jpg")]) == [str(sources / "c.jpg")]
    assert expanded(["[bc].*"]) == ["b.png", "c.jpg"]


def test_a_file_is_itself_even_if_its_name_looks_like_a_pattern_or_it_is_not_there(sources: Path) -> None:
    files(sources, "a[1].png")

    assert expanded([str(sources / "a[1].png"), str(sources / "none.png")]) == [
        str(sources / "a[1].png"),
        str(sources / "none.png"),
    ]


def test_what_is_meant_twice_is_done_once(sources: Path) -> None:
    (path,) = files(sources, "a.png")

    assert expanded([str(path), str(sources), str(sources / "*.png")]) == [str(path)]


@pytest.mark.parametrize("pattern", ["*.png", "", "**x"])
def test_what_means_nothing_is_said(sources: Path, pattern: str) -> None:
    path = str(sources / pattern)

    with pytest.raises(WrongUsage) as raised:
        expanded([path])

    assert path in raised.value.message
    assert raised.value.hint
