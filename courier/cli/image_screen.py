"""A screen that shows images, if its terminal can."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property

from rich.console import Console
from rich.text import Text

from courier.cli import graphics, output
from courier.cli.screen import Screen

Color = tuple[int, int, int]


class ImageScreen(Screen):
    """A screen for text and images; `preview`: a protocol of `courier.cli.graphics`, or what the terminal says."""

    def __init__(
        self,
        console: Console | None = None,
        errors: Console | None = None,
        *,
        plain: bool = False,
        preview: str = graphics.AUTO,
    ) -> None:
        super().__init__(console, errors, plain=plain)
        self._preview = preview

    @cached_property
    def graphics(self) -> str:
        """How the terminal shows images: one of `courier.cli.graphics`."""
        can_show = output.can_move_cursor(self._console.file) and self._console.color_system is not None
        if not can_show or self._console.no_color or self.plain:
            return graphics.NONE
        found = self._preview
        if found == graphics.AUTO:
            found = graphics.protocol_of(os.environ, lambda: graphics.device_attributes(self._keep_typed))
        return graphics.NONE if found == graphics.BLOCKS and self.ascii_only else found

    @property
    def shows_images(self) -> bool:
        """Whether the terminal can show images, and should."""
        return self.graphics != graphics.NONE

    @property
    def cell(self) -> tuple[int, int]:
        """The size of a character, in pixels."""
        return graphics.cell_of(self._console.file)

    @property
    def is_inside_tmux(self) -> bool:
        """Whether tmux stands between this program and the terminal."""
        return "TMUX" in os.environ

    def _keep_typed(self, typed: bytes) -> None:
        """Keep what was typed while the terminal was queried; without a keyboard, nobody reads it."""

    def write_sequences(self, text: str) -> None:
        """Write escape sequences as they are."""
        with self.cleared():
            self._console.file.write(text)
            self._console.file.flush()

    def show_blocks(self, rows: Sequence[Sequence[tuple[Color | None, Color | None]]]) -> None:
        """Show rows of characters, each with the colors of its upper and lower half; None: not drawn."""
        from rich.color import Color
        from rich.style import Style

        def color(half: tuple[int, int, int] | None) -> Color | None:
            return Color.from_rgb(*half) if half else None

        for row in rows:
            line = Text()
            for upper, lower in row:
                sign = "\N{UPPER HALF BLOCK}" if upper else "\N{LOWER HALF BLOCK}" if lower else " "
                front, back = (upper, lower) if upper else (lower, None)
                line.append(sign, Style(color=color(front), bgcolor=color(back)))
            self._print(line)
