"""Record a terminal: type into a shell, and keep the screens that are seen, with the times at which they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import pyte

#: How long a key takes, and how long a program may leave the screen as it is before the recording skips ahead.
KEY_SECONDS = 0.03
STILL_SECONDS = 0.25
WAIT_SECONDS = 120
PROMPT = "$"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A character of the screen with its colors: names of pyte, or six hexadecimal digits."""

    data: str
    fg: str
    bg: str
    bold: bool


#: A screen is its rows; a row is its cells.
Row = tuple[Cell, ...]
Screen = tuple[Row, ...]


@dataclass(kw_only=True)
class Recording:
    """The screens so far, and the seconds for which each is seen."""

    columns: int
    rows: int
    folder: Path
    env: Mapping[str, str]
    screens: list[tuple[Screen, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the shell."""
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.Stream(self._screen)
        self._child: pexpect.spawn[str] = pexpect.spawn(
            "bash", ["--noprofile", "--norc"], cwd=str(self.folder), env=dict(self.env), encoding="utf-8",
            dimensions=(self.rows, self.columns),
        )  # fmt: skip
        self._said = ""
        self._await(self._is_at_prompt)
        self.screens.clear()

    def step(self, *, keys: str, expect: str = "", hold: float = 0.0) -> None:
        """Type `keys` and Enter, wait for `expect` or the prompt, and let the screen stay."""
        for key in keys:
            self._child.send(key)
            self._read(KEY_SECONDS)
            self._keep(KEY_SECONDS)
        self._said = ""
        self._child.send("\r")
        self._read(0.2)
        self._await(lambda: expect in self._said if expect else self._is_at_prompt())
        self._read(0.1)
        self._keep(0.1 + hold)

    def clear(self) -> None:
        """Empty the screen, without anybody seeing how."""
        kept = list(self.screens)
        self.step(keys="clear")
        self.screens[:] = kept

    def require(self, text: str) -> None:
        """See that the screen has a text. Raises: ValueError."""
        shown = "\n".join(self._screen.display)
        if text not in shown:
            raise ValueError(f"{text!r} is not on the screen:\n{shown}")

    def close(self) -> None:
        """End the shell."""
        self._child.close(force=True)

    def _is_at_prompt(self) -> bool:
        return self._screen.display[self._screen.cursor.y].rstrip() == PROMPT

    def _await(self, is_reached: Callable[[], bool]) -> None:
        deadline, seen = time.monotonic() + WAIT_SECONDS, time.monotonic()
        while not is_reached():
            if time.monotonic() > deadline:
                shown = "\n".join(self._screen.display)
                raise TimeoutError(f"What was waited for did not come. The screen is:\n{shown}")
            if self._read(0.04):
                self._keep(min(time.monotonic() - seen, STILL_SECONDS))
                seen = time.monotonic()

    def _read(self, seconds: float) -> bool:
        """Take what the terminal prints within a time; return whether there was anything."""
        deadline, was_any = time.monotonic() + seconds, False
        while (left := deadline - time.monotonic()) > 0:
            try:
                text = self._child.read_nonblocking(65536, timeout=left)
            except pexpect.TIMEOUT:
                break
            self._said += text
            self._stream.feed(text)
            was_any = True
        return was_any

    def _keep(self, seconds: float) -> None:
        """Keep the screen as it is now; the one before was seen until now."""
        screen = tuple(self._row(number) for number in range(self.rows))
        if self.screens and self.screens[-1][0] == screen:
            self.screens[-1] = (screen, self.screens[-1][1] + seconds)
        else:
            self.screens.append((screen, seconds))

    def _row(self, number: int) -> Row:
        line = self._screen.buffer[number]
        cells = [self._cell(line[column]) for column in range(self.columns)]
        cursor = self._screen.cursor
        if number == cursor.y and not cursor.hidden and cursor.x < self.columns:
            under = cells[cursor.x]
            cells[cursor.x] = Cell(data=under.data, fg="000000", bg="c0c0c0", bold=False)
        return tuple(cells)

    @staticmethod
    def _cell(char: pyte.screens.Char) -> Cell:
        fg, bg = (char.bg, char.fg) if char.reverse else (char.fg, char.bg)
        return Cell(data=char.data, fg=fg, bg=bg, bold=char.bold)
