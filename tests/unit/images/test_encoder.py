"""A worked-on image becomes a file: what goes along, and what its format cannot hold."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from PIL import Image, ImageCms

from courier.errors import NotAnImage
from courier.images.encoder import Encoding, saved
from courier.images.formats import FORMATS, WRITTEN
from courier.images.metadata import Kept
from courier.images.notes import Notes


@dataclass(frozen=True, kw_only=True)
class Work:
    encoding: Encoding
    notes: Notes = field(default_factory=Notes)


def work(target: str, **more: Any) -> Work:
    kept = Kept(**{name: more.pop(name) for name in ("exif", "dots", "profile") if name in more})
    return Work(encoding=Encoding(target=FORMATS[target], kept=kept, **more))


def file_of(frames: list[Image.Image], times: list[float], given: Work) -> bytes:
    return saved(frames, times, given.encoding, given.notes.add)


def noisy(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.effect_noise(size, 80).convert(mode)


def written(image: Image.Image, given: Work) -> Image.Image:
    made = Image.open(io.BytesIO(file_of([image], [0], given)))
    made.load()
    return made


def animated(given: Work, times: list[float]) -> Image.Image:
    frames = [Image.new("RGBA", (8, 8), (number, 90 * number, 0, 255)) for number in range(len(times))]
    return Image.open(io.BytesIO(file_of(frames, times, given)))


def times_of(image: Any) -> list[float]:
    found = []
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        found.append(image.info["duration"])
    return found


@pytest.mark.parametrize("target", [known.name for known in WRITTEN])
def test_every_format_is_written_and_is_itself(target: str) -> None:
    made = written(noisy(), work(target))

    assert (made.format, made.size) == (target, (64, 48))


@pytest.mark.parametrize("target", ["JPEG", "WEBP", "AVIF"])
def test_less_quality_is_less_to_store(target: str) -> None:
    image = noisy()

    assert len(file_of([image], [0], work(target, quality=10))) < len(file_of([image], [0], work(target))) / 2


@pytest.mark.parametrize("target", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("max_bytes", [1_500, 2_500])
def test_the_best_quality_is_taken_that_fits(target: str, max_bytes: int) -> None:
    image, given = noisy(), work(target, max_bytes=max_bytes)

    made = file_of([image], [0], given)

    (note,) = given.notes
    quality = int(note.split("its quality is ")[1].split(",")[0])
    assert made == file_of([image], [0], work(target, quality=quality))
    assert len(made) <= max_bytes < len(file_of([image], [0], work(target, quality=quality + 1)))


def test_what_fits_at_any_quality_is_the_best() -> None:
    image, given = noisy(), work("JPEG", max_bytes=10**6)

    assert file_of([image], [0], given) == file_of([image], [0], work("JPEG", quality=100))
    assert given.notes == []


def test_metadata_and_all_frames_count_for_the_size_of_a_file() -> None:
    frames = [noisy() for _ in range(3)]

    made = file_of(frames, [40] * 3, work("WEBP", max_bytes=6_000))
    with_exif = file_of(frames[:1], [0], work("JPEG", max_bytes=3_000, exif=b"Exif\0\0" + bytes(1_000)))

    assert 3_000 < len(made) <= 6_000
    assert 1_500 < len(with_exif) <= 3_000


def test_what_fits_at_no_quality_is_rejected_with_the_size_that_was_reached() -> None:
    image = noisy()
    least = len(file_of([image], [0], work("WEBP", quality=1)))

    with pytest.raises(NotAnImage, match=f"{least:,} bytes; at most 100") as caught:
        file_of([image], [0], work("WEBP", max_bytes=100))

    assert "thumbnail" in caught.value.hint


def test_a_source_without_loss_stays_so_if_that_fits() -> None:
    image = noisy()
    whole = len(file_of([image], [0], work("WEBP", is_lossless=True)))

    for max_bytes, is_same in ((whole, True), (whole - 1, False)):
        made = written(image, work("WEBP", is_lossless=True, max_bytes=max_bytes))
        assert (made.tobytes() == image.tobytes()) is is_same


def test_a_source_without_loss_is_written_without_loss() -> None:
    image = noisy()

    assert written(image, work("WEBP", is_lossless=True)).tobytes() == image.tobytes()
    assert written(image, work("WEBP")).tobytes() != image.tobytes()
    assert written(image, work("WEBP", is_lossless=True, quality=20)).tobytes() != image.tobytes()


@cache
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_profile_exif_and_resolution_go_along() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ann"

    made = written(noisy(), work("JPEG", profile=profile(), exif=exif, dots=(72.0, 72.0)))

    assert made.info["icc_profile"] == profile()
    assert made.getexif()[0x013B] == "Ann"
    assert made.info["dpi"] == pytest.approx((72, 72))


def test_what_is_not_to_go_along_does_not() -> None:
    image = noisy()
    image.info = {"icc_profile": profile(), "exif": b"Exif\0\0", "dpi": (72, 72), "comment": b"secret"}

    made = written(image, work("JPEG"))

    assert {"icc_profile", "exif", "dpi", "comment"}.isdisjoint(made.info)


def test_a_profile_for_other_images_goes_and_is_said() -> None:
    given = work("PNG", profile=profile())

    made = written(noisy("L"), given)

    assert "icc_profile" not in made.info
    assert len(given.notes) == 1
    assert "profile" in given.notes[0]


def test_transparency_becomes_white_where_there_is_none_and_that_is_said_if_it_shows() -> None:
    clear, opaque = work("JPEG"), work("JPEG")

    made = written(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), clear)
    written(Image.new("RGBA", (8, 8), (0, 0, 0, 255)), opaque)

    assert made.convert("RGB").getpixel((4, 4)) == (255, 255, 255)
    assert (len(clear.notes), opaque.notes) == (1, [])


@pytest.mark.parametrize("target", ["JPEG", "WEBP", "AVIF"])
def test_dots_become_gray_where_there_is_none(target: str) -> None:
    made = written(Image.new("1", (8, 8), 1), work(target))

    assert made.convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "I;16"])
def test_a_png_holds_what_it_is_given(mode: str) -> None:
    assert written(Image.new(mode, (8, 8)), work("PNG")).mode == mode


def test_gray_of_32_bits_becomes_a_png_of_16() -> None:
    made = written(Image.new("I", (8, 8), 40_000), work("PNG"))

    assert made.getpixel((0, 0)) == 40_000


def test_what_a_format_cannot_hold_is_rejected_with_its_size() -> None:
    with pytest.raises(NotAnImage, match=r"20000 x 1 pixels.*WEBP") as raised:
        file_of([Image.new("RGB", (20_000, 1))], [0], work("WEBP"))

    assert raised.value.reason == "impossible"


@pytest.mark.parametrize("error", [OSError("encoding error 1"), ValueError("Failed to encode image")])
def test_want_of_memory_is_none_of_the_images_faults(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)

    with pytest.raises(MemoryError):
        file_of([noisy()], [0], work("WEBP"))


# GIF


def test_a_gif_has_256_colors_at_most_and_that_is_said() -> None:
    given, from_gif, gray = work("GIF"), work("GIF", is_gif=True), work("GIF")
    colorful = Image.merge("RGB", [noisy("L"), noisy("L"), noisy("L")])

    written(colorful, given)
    written(colorful, from_gif)
    written(noisy("RGB"), gray)

    assert (len(given.notes), from_gif.notes, gray.notes) == (1, [], [])
    assert "256" in given.notes[0]


@pytest.mark.parametrize(("alpha", "noted"), [(255, 0), (0, 0), (100, 1)])
def test_a_gif_knows_nothing_half_transparent(alpha: int, noted: int) -> None:
    given = work("GIF", is_gif=True)

    made = written(Image.new("LA", (8, 8), (50, alpha)), given)

    assert len(given.notes) == noted
    assert made.convert("RGBA").getpixel((0, 0))[3] in {0, 255}  # type: ignore[index]


# Frames


@pytest.mark.parametrize("target", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_frames_are_written_with_their_times_and_how_often(target: str, plays: int) -> None:
    made = animated(work(target, plays=plays), [100, 200, 300])

    assert times_of(made) == [100, 200, 300]
    loop = made.info.get("loop")
    assert loop == ({0: 0, 1: None, 3: 2}[plays] if target == "GIF" else plays)


@pytest.mark.parametrize(
    ("times", "noted"), [([100, 10], False), ([100, 655_350], False), ([100, 15], True), ([100, 655_360], True)]
)
def test_a_gif_counts_hundredths_of_a_second_and_that_is_said(times: list[float], *, noted: bool) -> None:
    given = work("GIF", is_gif=True)

    made = animated(given, times)

    assert any("rounded" in note for note in given.notes) is noted
    assert max(times_of(made)) <= 655_350


def test_each_frame_of_a_gif_stands_alone() -> None:
    frames = [Image.new("RGBA", (2, 1), (0, 0, 0, 0)), Image.new("RGBA", (2, 1), (0, 0, 0, 0))]
    frames[0].putpixel((0, 0), (255, 0, 0, 255))
    frames[1].putpixel((1, 0), (0, 255, 0, 255))

    made = Image.open(io.BytesIO(file_of(frames, [100, 100], work("GIF", is_gif=True))))
    made.seek(1)

    assert made.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
