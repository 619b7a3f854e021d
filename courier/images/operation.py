"""Operations on images, and steps: operations with arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier.images import arguments
from courier.images.arguments import Values

if TYPE_CHECKING:
    from PIL import Image

#: The default operation.
DEFAULT = "grayscale"
#: Width and height, in pixels.
Box = tuple[int, int]
Apply = Callable[["Image.Image", Values], "Image.Image"]


def never(_values: Values) -> bool:
    """Return False, for any values."""
    return False


def always(_values: Values) -> bool:
    """Return True, for any values."""
    return True


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The properties of an operation."""

    name: str
    help: str
    #: The function on an image; None: pixels do not change.
    apply: Apply | None = None
    #: The syntax of its value, in brackets if optional; empty: it takes none.
    value: str = ""
    #: An example value for the sample image.
    example: str = ""
    #: Parses the value into arguments by name. Raises: ValueError.
    read: Callable[[str], Values] = arguments.nothing
    #: An upper limit of the result's size.
    size: Callable[[Box, Values], Box] = lambda size, _values: size
    #: The arguments of the equivalent `resize` of a reduced decode of an image of this size; None: there is none.
    scale: Callable[[Box, Values], Values | None] = lambda _size, _values: None
    #: Its part of a result's name, by the value as text and as arguments; None: name and value.
    words: Callable[[str, Values], Sequence[str]] | None = None
    #: Whether the value is free text, which a file name cannot have.
    has_free_text: bool = False
    #: Whether it keeps colors, so that a color profile stays valid.
    keeps_color: bool = False
    #: Whether it keeps grayscale with more than 8 bits.
    keeps_depth: Callable[[Values], bool] = never
    #: Whether it needs only the luminance.
    needs_only_gray: bool = False
    #: The default format of its results; empty: the source's.
    target: str = ""
    #: The note if it removes transparency; empty: it does not.
    opaque_note: str = ""
    #: Whether it removes metadata.
    strips_metadata: bool = False

    @property
    def usage(self) -> str:
        """The syntax: its name and that of its value."""
        return f"{self.name}{'=' * bool(self.value)}{self.value}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operation of a pipeline, with its arguments."""

    operation: Operation
    text: str
    values: Values

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    @property
    def words(self) -> Sequence[str]:
        """The part of a result's name."""
        value = self.text.partition("=")[2].replace(":", "-").replace("#", "")
        if self.operation.words:
            return self.operation.words(value, self.values)
        return [f"{self.name}-{value}" if value else self.name]

    def size_after(self, size: Box) -> Box:
        """Return an upper limit of the result's size, in pixels."""
        return self.operation.size(size, self.values)
