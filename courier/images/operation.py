"""Operations on images, and steps: operations with values."""

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
    #: What it does to an image; None if it leaves pixels as they are.
    apply: Apply | None = None
    #: What its value looks like, in brackets if it may be left out; empty if there is none.
    value: str = ""
    #: A value that shows what it does to the sample image.
    example: str = ""
    #: Returns the value's parts by name. Raises: ValueError.
    read: Callable[[str], Values] = arguments.nothing
    #: How large the result is, or larger.
    size: Callable[[Box, Values], Box] = lambda size, _values: size
    #: The values with which `resize` does the same to a smaller decode of an image of this size; None if it cannot.
    scale: Callable[[Box, Values], Values | None] = lambda _size, _values: None
    #: What a result's name says of it, from the value as written and as read; None for its own name and value.
    words: Callable[[str, Values], Sequence[str]] | None = None
    #: Whether the value is any text, which a name cannot say.
    has_free_text: bool = False
    #: Whether colors stay as they are, so that a color profile stays true.
    keeps_color: bool = False
    #: Whether gray of more than 8 bits stays as deep as it is.
    keeps_depth: Callable[[Values], bool] = never
    #: Whether it needs no more of an image than its shades of gray.
    needs_only_gray: bool = False
    #: The format of results that are not converted to another; empty for the source's.
    target: str = ""
    #: What is said of an image whose transparency it takes away; empty if it takes none.
    opaque_note: str = ""
    #: Whether metadata goes.
    strips_metadata: bool = False

    @property
    def usage(self) -> str:
        """How it is written: its name and what its value looks like."""
        return f"{self.name}{'=' * bool(self.value)}{self.value}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operation of a pipeline, with its values."""

    operation: Operation
    text: str
    values: Values

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    @property
    def words(self) -> Sequence[str]:
        """Its part of a result's name."""
        value = self.text.partition("=")[2].replace(":", "-").replace("#", "")
        if self.operation.words:
            return self.operation.words(value, self.values)
        return [f"{self.name}-{value}" if value else self.name]

    def size_after(self, size: Box) -> Box:
        """Return an upper limit of the result's size for an image of this size."""
        return self.operation.size(size, self.values)
