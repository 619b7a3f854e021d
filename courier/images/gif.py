"""GIF files block by block: whether the file goes on to its end marker, which Pillow does not ask.

Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from __future__ import annotations

_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_HAS_TABLE, _TABLE_SIZE = 0x80, 0x07


def has_end(content: bytes) -> bool:
    """Whether blocks follow each other up to the end marker: without it, frames may be missing."""
    place = 13 + _table_bytes(content, 10)
    while place < len(content) and content[place] != _END:
        if content[place] == _EXTENSION:
            place = _behind_blocks(content, place + 2)
        elif content[place] == _FRAME:
            place = _behind_blocks(content, place + 11 + _table_bytes(content, place + 9))
        else:
            return False
    return place < len(content)


def _table_bytes(content: bytes, place: int) -> int:
    """Return how long the table of colors is that flags at this place tell of."""
    flags = content[place] if place < len(content) else 0
    return 3 * 2 ** ((flags & _TABLE_SIZE) + 1) if flags & _HAS_TABLE else 0


def _behind_blocks(content: bytes, place: int) -> int:
    while place < len(content) and content[place]:
        place += 1 + content[place]
    return place + 1
