"""The help of a program, wrapped to the terminal's width: paragraphs, rows of a word and its text, and commands.

Imports no third-party package, so that --help needs none.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

#: The least room for text beside its word, in columns; with less, it goes below.
LEAST_ROOM = 20
#: The indent of text that stands below its word, beyond that of the word.
BELOW = 4
#: What is indented deeper than this continues the line before it.
ROW_INDENT = 2
EXAMPLES = "examples:"
_LINE = re.compile(r"(?P<indent> *)(?P<head>\S+(?: \S+)*)(?:(?P<gap> {2,})(?P<text>\S.*))?")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps description and epilog as argparse wraps options; the width is that of the terminal, or COLUMNS."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}".rstrip() for line in filled(text, width))

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Wrap an option's help at spaces only: argparse breaks at hyphens, and so tears the names of options."""
        return _wrapped(" ".join(text.split()), width, 0)


@dataclass(kw_only=True)
class _Block:
    """What is wrapped together: a paragraph, or a row, whose text begins in a column."""

    indent: int
    head: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    #: None: there is no text beside the head.
    column: int | None = None
    #: Whether its head is never broken.
    is_whole: bool = False

    def lines(self, width: int) -> list[str]:
        if self.column is None and not self.is_whole:
            return _wrapped(" ".join(self.head), width, self.indent)
        head = " " * self.indent + " ".join(self.head)
        if self.column is None:
            return [head]
        text = " ".join(self.text)
        is_beside = len(head) < self.column and width - self.column >= min(LEAST_ROOM, len(text))
        below = _wrapped(text, width, self.column if is_beside else self.indent + BELOW)
        return [head + below[0][len(head) :], *below[1:]] if is_beside else [head, *below]


def filled(text: str, width: int) -> list[str]:
    """Return a help text as lines of at most `width` columns; only commands and long words are wider.

    Lines without an indent are paragraphs. An indented line is a row, if two or more spaces are in it, else a
    paragraph; below `examples:`, a command. Deeper lines continue the one before them.
    """
    return [line for block in _blocks(textwrap.dedent(text).strip("\n")) for line in block.lines(width)]


def _blocks(text: str) -> Iterator[_Block]:
    block: _Block | None = None
    title = ""
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            if block:
                yield block
            yield _Block(indent=0)
            block = None
            continue
        indent = len(match["indent"])
        if block and indent > max(ROW_INDENT, block.indent):
            if block.column is None and block.is_whole:
                block.column = indent
            (block.text if block.column is not None else block.head).append(line.strip())
            continue
        is_paragraph = match["text"] is None and not (indent and title == EXAMPLES)
        if block and block.column is None and is_paragraph and indent == block.indent and not _is_title(block):
            block.head.append(match["head"])
            continue
        if block:
            yield block
        title = line if not indent else title
        block = _begun(match, indent, is_whole=not is_paragraph)
    if block:
        yield block


def _begun(match: re.Match[str], indent: int, *, is_whole: bool) -> _Block:
    block = _Block(indent=indent, head=[match["head"]], is_whole=is_whole)
    if match["text"]:
        block.column = match.start("text")
        block.text.append(match["text"])
    return block


def _is_title(block: _Block) -> bool:
    return len(block.head) == 1 and block.head[0].endswith(":") and not block.indent


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=space, subsequent_indent=space, break_long_words=False, break_on_hyphens=False
    ) or [""]
