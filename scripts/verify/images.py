"""Checks of the images worker: the largest images that it allows, and a child process that is killed at work."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

from PIL import Image

from courier.errors import Reason
from scripts.verify.account import Account, wait_until
from scripts.verify.machine import CommandFailed, on_instance
from scripts.verify.runner import CheckFailed, Figure, Finding

#: Just below COURIER_IMAGE_MAX_MEGAPIXELS.
LARGE = (8_600, 5_800)
SMALL = (64, 48)
IMAGE_SECONDS = 300
#: The memory by which a child process at work is known, in kilobytes, and how long it is waited for.
WORKING_KILOBYTES = 150_000
WORKING_SECONDS = 120
#: What may become of a legal image on a small machine.
EXCUSED = {None, Reason.OUT_OF_MEMORY}
#: What may become of an image whose child process was killed.
EXCUSED_WHEN_KILLED = {*EXCUSED, Reason.CRASHED}
#: Kill the children of the process $WORKER that are at work, and print their number.
KILL = f"""
killed=0
for pid in $(pgrep -P $WORKER); do
  rss=$(ps -o rss= -p $pid) || continue
  if ((rss > {WORKING_KILOBYTES})); then kill -9 $pid && killed=$((killed + 1)); fi
done
echo $killed
"""
FIND_WORKER = "WORKER=$(pgrep -o -u courier -f 'bin/python images_worker.py')"


def image(account: Account, size: tuple[int, int]) -> Path:
    """Return a JPEG of noise: always the same large one, but each small one is new.

    Work that was done before is not done again: its result would be there at once.
    """
    mark = "" if size == LARGE else f"-{secrets.token_hex(4)}"
    path = account.folder / f"{size[0]}x{size[1]}{mark}.jpg"
    if not path.exists():
        noise = Image.effect_noise((size[0] // 8, size[1] // 8), 60)
        gray = noise.resize(size)
        Image.merge("RGB", (gray, gray.transpose(Image.Transpose.FLIP_LEFT_RIGHT), gray)).save(path, quality=85)
    return path


def begin(account: Account, size: tuple[int, int], operations: str, target: str) -> subprocess.Popen[str]:
    """Start a run of the images client."""
    options = ["--operations", operations, "--to", target, "--replace", "--json", "--timeout", str(IMAGE_SECONDS)]
    return account.run_client("images_client.py", "run", str(image(account, size)), *options)


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a run, and return its row. Raises: CheckFailed."""
    try:
        out, said = process.communicate(timeout=2 * IMAGE_SECONDS)
    finally:
        process.kill()
    rows = [json.loads(line) for line in out.splitlines()]
    if len(rows) != 1:
        raise CheckFailed(f"the client ended with status {process.returncode}: {said.strip()[-300:]}")
    return dict(rows[0])


def judged(account: Account, rows: list[dict[str, Any]], excused: set[Any], seconds: float) -> Finding:
    """Return what has become of images, after which the worker must do a small one. Raises: CheckFailed."""
    said = [f"{row['operations']}: {row['reason'] or 'done'}" for row in rows]
    figures: dict[str, Figure] = {"seconds": round(seconds, 1), "memory_megabytes": _memory(account)}
    figures["out_of_memory"] = sum(row["reason"] == Reason.OUT_OF_MEMORY for row in rows)
    if bad := [row for row in rows if row["reason"] not in excused or (row["error"] and not row["reason"])]:
        raise CheckFailed(f"{'; '.join(said)}: {bad[0]['error']}", figures)
    if error := small_image(account):
        raise CheckFailed(f"{'; '.join(said)}; afterwards, a small image failed: {error}", figures)
    return Finding(detail=f"{'; '.join(said)}; and the worker goes on", figures=figures)


def small_image(account: Account) -> str | None:
    """Have a small image worked on, and return its error, if it has one."""
    row = end(begin(account, SMALL, "grayscale", "small"))
    return str(row["error"]) if row["error"] else None


def until_both_answer(account: Account, seconds: float) -> float:
    """Send a request to each worker, and return the seconds until both have answered. Raises: CheckFailed."""
    started = time.monotonic()
    account.ask(seconds=seconds)
    if error := small_image(account):
        raise CheckFailed(f"the images worker does not work: {error}")
    return time.monotonic() - started


def _memory(account: Account) -> int | None:
    """Return the megabytes of memory of the instance."""
    if not account.is_real:
        return None
    return int(on_instance(account, "awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo"))


def demanding_one(account: Account) -> Finding:
    """Have the largest image worked on with the operations that need most memory."""
    return _together(account, "sepia,sharpen,convert=png")


def demanding_two(account: Account) -> Finding:
    """Have two of the largest images worked on at once."""
    return _together(account, "blur=5", "convert=webp:80")


def _together(account: Account, *operations: str) -> Finding:
    image(account, LARGE)
    started = time.monotonic()
    runs = [begin(account, LARGE, one, f"large{number}") for number, one in enumerate(operations)]
    try:
        rows = [end(run) for run in runs]
        return judged(account, rows, EXCUSED, time.monotonic() - started)
    finally:
        for run in runs:
            run.kill()


def killed_child(account: Account) -> Finding:
    """Kill a child process at work: its client gets a reason, or its image all the same."""
    started = time.monotonic()
    # No other check has this work done.
    run = begin(account, LARGE, "blur=6", "killed")
    try:
        wait_until(lambda: _kill(account), WORKING_SECONDS, "a child process at work", pause=0.2)
        return judged(account, [end(run)], EXCUSED_WHEN_KILLED, time.monotonic() - started)
    finally:
        run.kill()


def _kill(account: Account) -> int:
    if account.is_real:
        return int(on_instance(account, f"{FIND_WORKER}\n{KILL}"))
    command = f"WORKER={account.worker_pid('images')}\n{KILL}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(done.stderr)
    return int(done.stdout)
