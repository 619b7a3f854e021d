"""Line editing by readline: Tab, pasted text, a line that is there already, and the lines of before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from types import ModuleType

#: Where the part of a line begins that Tab offers: so are names in a folder shown without the folder.
DELIMITERS = " ,/\t\n"

Complete = Callable[[str], Sequence[str]]


def set_up(
    readline: ModuleType,
    complete: Complete | None,
    *,
    begin: str,
    lines: Sequence[str],
    is_marked: bool,
    has_more: Callable[[], bool],
) -> None:
    """Set up the next line: it begins with `begin`, the arrow keys bring back `lines`, and Tab offers completions.

    `is_marked`: the terminal marks what is pasted. `has_more` says whether other input follows a Tab at once, as in a
    paste that is not marked.
    """
    _bind(readline, has_completion=complete is not None, is_marked=is_marked)
    readline.set_completer_delims(DELIMITERS)
    readline.set_completer(_completer(readline, complete, has_more) if complete else None)
    _set_history(readline, lines)
    _set_beginning(readline, begin)


def _bind(readline: ModuleType, *, has_completion: bool, is_marked: bool) -> None:
    if "libedit" in (readline.__doc__ or ""):
        readline.parse_and_bind("bind ^I rl_complete" if has_completion else "bind ^I ed-insert")
        return
    # Python switches bracketed paste off; with it, tabs and line endings in a paste are text.
    readline.parse_and_bind(f"set enable-bracketed-paste {'on' if is_marked else 'off'}")
    readline.parse_and_bind("tab: complete" if has_completion else "tab: self-insert")


def _set_history(readline: ModuleType, lines: Sequence[str]) -> None:
    readline.set_auto_history(False)
    readline.clear_history()
    for line in lines:
        with contextlib.suppress(UnicodeError):  # the locale's encoding lacks a character
            readline.add_history(line)


def _set_beginning(readline: ModuleType, begin: str) -> None:
    def insert() -> None:
        with contextlib.suppress(UnicodeError):
            readline.insert_text(begin)

    readline.set_startup_hook(insert if begin else None)


def _completer(
    readline: ModuleType, complete: Complete, has_more: Callable[[], bool]
) -> Callable[[str, int], str | None]:
    """Return a completer of the whole line, for readline, which wants what fits a part of it."""

    def offer(text: str, number: int) -> str | None:
        if number == 0:
            line = readline.get_line_buffer()[: readline.get_endidx()]
            before = line[: len(line) - len(text)]
            found = [one[len(before) :] for one in complete(line) if one.startswith(line)]
            offers[:] = [text + "\t"] if has_more() else found
        return offers[number] if number < len(offers) else None

    offers: list[str] = []
    return offer
