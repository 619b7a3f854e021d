"""Images on a terminal: as it can show them, fitted to its width, with captions, and nowhere else."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from rich.console import Console

from courier.cli import previews
from courier.cli.image_screen import ImageScreen
from courier.errors import NotAnImage
from courier.images.preview import sample
from courier.images.probe import Bounds
from tests.support.screens import File

BOUNDS = Bounds(megapixels=50, frames=10)
UPPER = "\N{UPPER HALF BLOCK}"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "TMUX", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def screen(preview: str = "blocks", *, is_terminal: bool = True, plain: bool = False) -> tuple[ImageScreen, File]:
    file = File(is_terminal=is_terminal)
    console = Console(file=file, color_system="truecolor", width=80, highlight=False, markup=False)
    return ImageScreen(console, Console(file=io.StringIO()), plain=plain, preview=preview), file


def images(count: int = 2, size: tuple[int, int] = (640, 480)) -> list[previews.Captioned]:
    files = [io.BytesIO() for _ in range(count)]
    for number, file in enumerate(files):
        Image.new("RGB", size, (255, 0, 10 * number)).save(file, "PNG")
    return [(f"image-{number}.png", file) for number, file in enumerate(files)]


def plainly(text: str) -> list[str]:
    return re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 200])
def test_blocks_fit_the_width_and_each_image_has_its_caption(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    one, file = screen()

    previews.show(one, images(3), BOUNDS)

    lines = plainly(file.getvalue())
    assert max(map(len, lines)) <= columns
    captions = re.findall(r"image-\d\.png", "".join(lines))
    assert captions == ["image-0.png", "image-1.png", "image-2.png"]
    assert "\x1b[38;2;255;0;10;48;2;255;0;10m" in file.getvalue()
    assert UPPER * 10 in lines[0]


def test_a_small_image_is_not_enlarged_and_a_long_caption_is_shortened() -> None:
    one, file = screen()
    (_, small), (_, wide) = images(2, (3, 3))

    previews.show(one, [("a" * 90 + ".png", small), ("b.png", wide)], BOUNDS)

    first, _, caption = plainly(file.getvalue())
    assert first.split() == [UPPER * 3, UPPER * 3]
    assert re.fullmatch(r"a+…a*\.png +b\.png", caption)
    assert first.rstrip().rindex(" ") + 1 == caption.index("b")


@pytest.mark.parametrize("protocol", ["kitty", "iterm2", "sixel"])
def test_sequences_make_room_and_leave_the_cursor_below(protocol: str) -> None:
    one, file = screen(protocol)

    previews.show(one, images(2), BOUNDS)

    match = re.fullmatch(r"(\n+)\x1b\[(\d+)A\x1b7(\x1b.*)\x1b8\x1b\[(\d+)B(.*)\n", file.getvalue(), flags=re.DOTALL)
    assert match
    assert len(match[1]) == int(match[2]) == int(match[4]) <= previews.LINES
    assert plainly(match[5]) == ["image-0.png" + " " * 29 + "image-1.png"]
    assert match[3].startswith({"kitty": "\x1b_Ga=T", "iterm2": "\x1b]1337;", "sixel": "\x1bP0;1q"}[protocol])


def test_inside_tmux_what_it_does_not_know_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "x")
    for protocol, count in (("kitty", 1), ("sixel", 0)):
        one, file = screen(protocol)
        previews.show(one, images(1), BOUNDS)
        assert (file.getvalue().count("\x1bPtmux;") >= 1) == bool(count)


def test_nothing_is_shown_where_colors_are_unwanted_or_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    screens = [screen(is_terminal=False), screen(plain=True), screen("none"), screen("kitty", is_terminal=False)]
    monkeypatch.setenv("NO_COLOR", "1")
    screens += [screen(), screen("kitty")]
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    screens.append(screen("sixel"))

    for one, file in screens:
        previews.show(one, images(), BOUNDS)
        previews.show_made(one, [("a.png", sample)], BOUNDS)
        assert not one.shows_images
        assert file.getvalue() == ""


def test_what_cannot_be_read_or_is_no_image_is_left_out_behind_a_run() -> None:
    def missing() -> bytes:
        raise FileNotFoundError

    one, file = screen()

    previews.show_made(one, [("a.png", missing)], BOUNDS)
    previews.show_made(one, [("a.png", lambda: b"x")], BOUNDS)

    assert file.getvalue() == ""
    with pytest.raises(NotAnImage):
        previews.show(one, [("a.png", io.BytesIO(b"x"))], BOUNDS)
