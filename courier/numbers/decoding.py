"""Decode text by its byte order mark, else as UTF-8, and reject binary files."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from courier.errors import Rejected

_Decode = Callable[[bytes, str, bool], tuple[str, int]]

#: Longer marks first, since one is the beginning of another.
_MARKS: tuple[tuple[bytes, str, _Decode], ...] = (
    (codecs.BOM_UTF32_LE, "UTF-32", codecs.utf_32_le_decode),
    (codecs.BOM_UTF32_BE, "UTF-32", codecs.utf_32_be_decode),
    (codecs.BOM_UTF8, "UTF-8", codecs.utf_8_decode),
    (codecs.BOM_UTF16_LE, "UTF-16", codecs.utf_16_le_decode),
    (codecs.BOM_UTF16_BE, "UTF-16", codecs.utf_16_be_decode),
)
#: Signatures of other file formats, their names, and hints.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel or LibreOffice workbook, or another ZIP archive", "Save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV."),
    (b"%PDF-", "a PDF document", "Copy its numbers into a text file."),
    (b"\x1f\x8b", "a gzip-compressed file", "Unpack it first, with gunzip."),
    (b"BZh", "a bzip2-compressed file", "Unpack it first, with bunzip2."),
    (b"\xfd7zXZ", "an xz-compressed file", "Unpack it first, with unxz."),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file", "Unpack it first, with unzstd."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first."),
    (b"PAR1", "a Parquet file", "Write its column as CSV."),
    (b"\x93NUMPY", "a NumPy array", "Write it with numpy.savetxt."),
    (b"\x89HDF", "an HDF5 or MATLAB file", "Write its numbers as CSV."),
    (b"MATLAB", "a MATLAB file", "Write its numbers as CSV."),
    (b"SQLite format 3", "an SQLite database", "Write its column as CSV."),
    (b"\x89PNG", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"\x7fELF", "a program", ""),
    (b"{\\rtf", "a document in rich text", "Save it as plain text."),
    (b"<!DOCTYPE", "a web page", "Save its numbers as plain text."),
    (b"<html", "a web page", "Save its numbers as plain text."),
    (b"<?xml", "an XML document", "Save its numbers as plain text."),
)
#: The beginning of ASCII in UTF-16 without a mark. Two zeros after a character are UTF-32 or binary.
_WIDE = re.compile(rb"[\t\n\r -~]\0(?!\0)|\0[\t\n\r -~]")
#: The length of the longest mark.
_MARK_BYTES = 4


class Decoder:
    """Decodes a file block by block; with `errors="replace"`, invalid bytes become U+FFFD. For one file."""

    def __init__(self, path: str, *, errors: str = "strict") -> None:
        self._path = path
        self._errors = errors
        self._decode: _Decode | None = None
        self._name = "UTF-8"
        self._held = b""
        #: The number of decoded bytes.
        self._done = 0

    @property
    def is_utf8(self) -> bool:
        """Whether the file is UTF-8, so that the encoded text is as long as the file."""
        return self._name == "UTF-8"

    def texts(self, blocks: Iterable[bytes]) -> Iterator[str]:
        """Yield the text of each block. Raises: Rejected, as `decode` does."""
        for block in blocks:
            yield self.decode(block)
        yield self.decode(b"", final=True)

    def decode(self, block: bytes, *, final: bool = False) -> str:
        """Return the text of the next block, without a last character that continues in the following block.

        Raises: Rejected, with the byte's position, if it is not text.
        """
        data = self._held + block
        if self._decode is None:
            if not final and _is_too_short(data):
                self._held = data
                return ""
            data = self._begin(data)
        assert self._decode is not None  # noqa: S101  set by _begin
        try:
            text, count = self._decode(data, self._errors, final)
        except UnicodeDecodeError as error:
            raise self._rejected(f"byte {self._done + error.start + 1:,} is not {self._name}") from error
        if "\0" in text and self._errors == "strict":
            raise self._zero(data, "Is it a binary file?")
        self._held = data[count:]
        self._done += count
        return text

    def _begin(self, data: bytes) -> bytes:
        for magic, kind, hint in _KINDS:
            if data.startswith(magic):
                raise Rejected(f"{self._path} is not text: it looks like {kind}.", hint=hint)
        mark, self._name, self._decode = next(
            (row for row in _MARKS if data.startswith(row[0])), (b"", "UTF-8", codecs.utf_8_decode)
        )
        if not mark and _WIDE.match(data):
            raise self._zero(data, "Is it UTF-16 without a byte order mark? Save it as UTF-8.")
        self._done = len(mark)
        return data[len(mark) :]

    def _zero(self, data: bytes, hint: str) -> Rejected:
        where = f"byte {self._done + data.find(0) + 1:,}" if self.is_utf8 else "a character"
        return Rejected(f"{self._path} is not text: {where} is zero.", hint=hint)

    def _rejected(self, what: str) -> Rejected:
        return Rejected(f"{self._path} is not text: {what}.", hint="Save it as UTF-8.")


def _is_too_short(data: bytes) -> bool:
    """Whether a file's beginning is too short to recognize a byte order mark or a file format."""
    known = [mark for mark, _, _ in _MARKS] + [magic for magic, _, _ in _KINDS]
    is_short = len(data) < (_MARK_BYTES if 0 in data else 2)
    return is_short or any(len(data) < len(one) and one.startswith(data) for one in known)


def lines(blocks: Iterable[str], longest: int) -> Iterator[str]:
    """Yield the lines of a text in blocks, with any line endings, without these.

    A line longer than `longest` is cut after `longest` + 1 characters.
    """
    newlines, held = io.IncrementalNewlineDecoder(None, translate=True), ""
    for block in chain(blocks, [None]):
        text = newlines.decode("" if block is None else block, final=block is None)
        *whole, held = (held + text).split("\n")
        yield from (line[: longest + 1] for line in whole)
        held = held[: longest + 1]
    if held:
        yield held
