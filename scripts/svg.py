"""Draw a recording of a terminal as one animated SVG, without scripts: it plays wherever an image is shown.

Every row, and every block of rows, is drawn once and used wherever it stands; what half blocks paint, which is an
image, is an image.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate, groupby, islice

from PIL import Image

from scripts.recording import Cell, Row, Screen

CELL = (8, 17)
MARGIN = 12
#: How many rows make a block.
BLOCK = 4
HALF, FULL = "▀", "█"
#: Screens that are seen for less than this are one.
SHORTEST_SECONDS = 0.06
COLORS = {
    "default": "d8dee9", "black": "2e3440", "red": "e06c75", "green": "98c379", "brown": "e5c07b", "yellow": "e5c07b",
    "blue": "61afef", "magenta": "c678dd", "cyan": "56b6c2", "white": "d8dee9", "brightblack": "7f848e",
    "brightred": "ff7b86", "brightgreen": "b5e890", "brightbrown": "ffd68a", "brightblue": "82c7ff",
    "brightmagenta": "e29bf5", "brightcyan": "7fdbe6", "brightwhite": "ffffff",
}  # fmt: skip
FONTS = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
BACKGROUND = "1e222a"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def animated(screens: Sequence[tuple[Screen, float]], *, seconds: float, note: str) -> str:
    """Return the SVG that shows the screens within `seconds`, again and again; `note` is kept in it as its digest."""
    frames = list(_thinned(screens))
    whole = sum(duration for _, duration in frames)
    height = len(frames[0][0]) * CELL[1]
    ends = accumulate((duration for _, duration in frames), initial=0.0)
    steps = (
        f"{end / whole * 100:.2f}%{{transform:translateY({-number * height}px)}}"
        for number, end in enumerate(islice(ends, len(frames)))
    )
    film = f"#film{{animation:film {seconds:g}s step-end infinite}}\n@keyframes film{{{''.join(steps)}}}"
    return _drawn([screen for screen, _ in frames], style=film, note=note)


def still(screen: Screen) -> str:
    """Return the SVG of one screen."""
    return _drawn([screen], style="", note="")


def _drawn(screens: Sequence[Screen], *, style: str, note: str) -> str:
    """Return the SVG of screens one below the other, of which the first is seen."""
    width, height = len(screens[0][0]) * CELL[0], len(screens[0]) * CELL[1]
    drawing = Drawing()
    shown = "".join(drawing.screen(screen, number * height) for number, screen in enumerate(screens))
    around = f"{width + 2 * MARGIN} {height + 2 * MARGIN}"
    size = 'width="{}" height="{}"'.format(*around.split())
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {around}" {size} role="img">
<title>Courier in a terminal</title>
<metadata>{escape(note)}</metadata>
<style>
text{{font:14px {FONTS};white-space:pre;fill:#{COLORS["default"]}}}
.b{{font-weight:bold}}
{style}
</style>
<defs>{drawing.definitions()}</defs>
<rect width="100%" height="100%" rx="8" fill="#{BACKGROUND}"/>
<svg x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<g id="film">{shown}</g>
</svg>
</svg>
"""


def _thinned(screens: Sequence[tuple[Screen, float]]) -> Iterator[tuple[Screen, float]]:
    """Yield the screens, of those that follow each other too quickly the last."""
    waiting = 0.0
    for screen, duration in screens:
        waiting += duration
        if waiting >= SHORTEST_SECONDS:
            yield screen, waiting
            waiting = 0.0


class Drawing:
    """Rows and blocks of rows, each drawn once under a name."""

    def __init__(self) -> None:
        self._names: dict[tuple[Row, ...] | Row, str] = {}
        self._drawn: list[str] = []

    def definitions(self) -> str:
        """Return all that was drawn."""
        return "\n".join(self._drawn)

    def screen(self, screen: Screen, top: int) -> str:
        """Return what shows a screen at a height."""
        blocks = [screen[first : first + BLOCK] for first in range(0, len(screen), BLOCK)]
        return "".join(
            f'<use href="#{name}" y="{top + number * BLOCK * CELL[1]}"/>\n'
            for number, block in enumerate(blocks)
            if (name := self._block(block))
        )

    def _block(self, block: tuple[Row, ...]) -> str:
        if block not in self._names:
            rows = [(self._row(row), number * CELL[1]) for number, row in enumerate(block)]
            shown = "".join(f'<use href="#{name}" y="{y}"/>' for name, y in rows if name)
            self._names[block] = self._define(shown)
        return self._names[block]

    def _row(self, row: Row) -> str:
        if row not in self._names:
            self._names[row] = self._define("".join(_runs(row)))
        return self._names[row]

    def _define(self, shown: str) -> str:
        """Draw under a new name; return it, or nothing where there is nothing to see."""
        if not shown:
            return ""
        number, name = len(self._drawn), ""
        while True:
            number, digit = divmod(number, len(DIGITS))
            name = DIGITS[digit] + name
            if not number:
                break
        name = f"_{name}"
        self._drawn.append(f'<g id="{name}">{shown}</g>')
        return name


def _runs(row: Row) -> Iterator[str]:
    """Yield what draws a row: backgrounds, images, and text, each for neighbors that look alike."""
    column = 0
    for (painted, fg, bg, bold), cells in groupby(row, _look):
        run = list(cells)
        x, width = column * CELL[0], len(run) * CELL[0]
        column += len(run)
        if painted:
            yield _image(run, x, width)
            continue
        if bg != "default":
            yield f'<rect x="{x}" width="{width}" height="{CELL[1]}" fill="#{_color(bg)}"/>'
        yield from _text("".join(cell.data for cell in run).replace(FULL, " "), x, fg, is_bold=bold)


def _look(cell: Cell) -> tuple[bool, str, str, bool]:
    """Return whether a cell is painted as an image is, and else its colors and weight."""
    if cell.data == HALF:
        return True, "", "", False
    if cell.data == FULL:
        return False, "default", cell.fg if cell.fg != "default" else "white", False
    fg = "default" if cell.data == " " else cell.fg
    return False, fg, cell.bg, cell.bold and cell.data != " "


def _text(text: str, x: int, fg: str, *, is_bold: bool) -> Iterator[str]:
    shown = text.strip()
    if not shown:
        return
    x += (len(text) - len(text.lstrip())) * CELL[0]
    color = "" if fg == "default" else f' style="fill:#{_color(fg)}"'
    weight = ' class="b"' if is_bold else ""
    place = f'x="{x}" y="13" textLength="{len(shown) * CELL[0]}" lengthAdjust="spacingAndGlyphs"'
    yield f"<text {place}{color}{weight}>{escape(shown)}</text>"


def _image(cells: Sequence[Cell], x: int, width: int) -> str:
    image = Image.new("RGB", (len(cells), 2))
    for column, cell in enumerate(cells):
        image.putpixel((column, 0), _rgb(cell.fg))
        image.putpixel((column, 1), _rgb(cell.bg, BACKGROUND))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<image x="{x}" width="{width}" height="{CELL[1]}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _color(name: str) -> str:
    return COLORS.get(name, name)


def _rgb(name: str, default: str = "") -> tuple[int, int, int]:
    value = bytes.fromhex(default if default and name == "default" else _color(name))
    return value[0], value[1], value[2]
