"""A screen shows images if its terminal can, and nothing of them elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from courier.cli import graphics
from courier.cli.image_screen import ImageScreen
from tests.support.screens import File


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "TMUX", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def screen(
    preview: str = graphics.BLOCKS, *, is_terminal: bool = True, plain: bool = False, colors: str | None = "truecolor"
) -> tuple[ImageScreen, File]:
    file = File(is_terminal=is_terminal)
    console = Console(file=file, color_system=colors, width=80, highlight=False, markup=False)  # type: ignore[arg-type]
    return ImageScreen(console, Console(file=io.StringIO()), plain=plain, preview=preview), file


@pytest.mark.parametrize("preview", ["kitty", "iterm2", "sixel", "blocks"])
def test_the_protocol_that_is_set_is_used_where_images_can_be_shown(preview: str) -> None:
    one, _ = screen(preview)

    assert (one.graphics, one.shows_images) == (preview, True)
    for other in (screen(preview, is_terminal=False), screen(preview, plain=True), screen(preview, colors=None)):
        assert (other[0].graphics, other[0].shows_images) == (graphics.NONE, False)


def test_without_colors_or_a_cursor_there_are_no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not screen()[0].shows_images
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not screen("sixel")[0].shows_images


def test_by_default_the_terminals_variables_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")

    assert screen(graphics.AUTO)[0].graphics == "kitty"


def test_blocks_need_more_than_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageScreen, "ascii_only", True)

    assert [screen(preview)[0].graphics for preview in ("blocks", "sixel")] == ["none", "sixel"]


def test_a_block_has_the_colors_of_its_halves_and_nothing_where_neither_is_drawn() -> None:
    one, file = screen()
    red, blue = (255, 0, 0), (0, 0, 255)

    one.show_blocks([[(red, blue), (None, blue), (red, None), (None, None)]])

    assert file.getvalue() == (
        "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m\x1b[38;2;0;0;255m▄\x1b[0m\x1b[38;2;255;0;0m▀\x1b[0m \n"
    )


def test_sequences_are_written_as_they_are() -> None:
    one, file = screen("sixel")

    one.write_sequences("\x1bP0;1q[red]\x1b\\")

    assert file.getvalue() == "\x1bP0;1q[red]\x1b\\"


def test_tmux_is_known_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = screen()

    assert not one.is_inside_tmux
    monkeypatch.setenv("TMUX", "socket,1,0")
    assert one.is_inside_tmux
