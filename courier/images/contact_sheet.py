"""A contact sheet: the results of all operations on an image, side by side in one image."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from courier.images.arguments import Values
from courier.images.effects import flattened
from courier.images.formats import FORMATS
from courier.images.geometry import place
from courier.images.operation import Apply, Box, Operation

_COLUMNS = 6
#: The largest side of a thumbnail, its margin, and the height of its caption, in pixels.
_TILE, _GAP, _CAPTION = 160, 8, 20
_CELL = (_TILE + 2 * _GAP, _TILE + _CAPTION + 2 * _GAP)
_FONT_SIZE = 12


def sheet_of(operations: Sequence[Operation]) -> Apply:
    """Return an operation that shows an image and the result of each of `operations` with its example value."""

    def apply(image: Image.Image, _values: Values) -> Image.Image:
        tile = image.copy()
        tile.thumbnail((_TILE, _TILE))
        shown = [("the image", tile), *((_written(one), _example(one, tile)) for one in operations)]
        sheet = Image.new("RGB", _size(len(shown)), "white")
        for number, (caption, made) in enumerate(shown):
            row, column = divmod(number, _COLUMNS)
            _lay(sheet, made, caption, (column * _CELL[0], row * _CELL[1]))
        return sheet

    return apply


def size_of(operations: Sequence[Operation]) -> Callable[[Box, Values], Box]:
    """Return a function for the size of a sheet, which does not depend on the image."""
    return lambda _size_before, _values: _size(len(operations) + 1)


def _size(count: int) -> Box:
    return _COLUMNS * _CELL[0], -(-count // _COLUMNS) * _CELL[1]


def _written(operation: Operation) -> str:
    return f"{operation.name}{'=' * bool(operation.example)}{operation.example}"


def _example(operation: Operation, tile: Image.Image) -> Image.Image:
    """Return the result of an operation with its example value, encoded if it only sets a quality."""
    values = operation.read(operation.example)
    if operation.apply:
        return operation.apply(tile, values)
    if not values.get("quality"):
        return tile
    file = io.BytesIO()
    flattened(tile, "white").save(file, FORMATS[values["target"]].name, quality=values["quality"])
    return Image.open(file)


def _lay(sheet: Image.Image, made: Image.Image, caption: str, corner: Box) -> None:
    """Paste an image, reduced to fit, and its caption into its cell."""
    made = flattened(made, "white").convert("RGB")
    made.thumbnail((_TILE, _TILE))
    left, top = place((_TILE, _TILE), made.size, "center")
    sheet.paste(made, (corner[0] + _GAP + left, corner[1] + _GAP + top))
    draw = ImageDraw.Draw(sheet)
    draw.text(
        (corner[0] + _CELL[0] / 2, corner[1] + _TILE + 2 * _GAP), caption, "black", font_size=_FONT_SIZE, anchor="mt"
    )
