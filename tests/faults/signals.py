"""Signals at random moments, wherever a client can be waiting: each must end it soon, with its status, and cleanly.

    python -m tests.faults.signals [--tries 200] [--load 2] [--only WORD]

For each place the clients are started again, one after another, until they wait there, and are sent SIGINT, SIGTERM and
SIGHUP in turn. `--load` runs that number of busy loops beside them. Prints a table: tries, failures, the slowest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pexpect

from courier.images.preview import sample
from tests.support.engines import Engine, fresh_account, unmeasured
from tests.support.gate import Gate
from tests.support.place import ROOT, Place, wait_for

NUMBERS, IMAGES = "numbers_client.py", "images_client.py"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: How long a client may take to end, in seconds, and with an upload to take back.
SECONDS, UPLOAD_SECONDS = 2.0, 5.0
#: After a client waits, the signal comes within this number of seconds.
MOMENT_SECONDS = 0.3
FOREVER = 600.0
EXPIRED = (403, {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "Expired."})
LONG_LIST = "1.25," * 240_000 + "1"


@dataclass(kw_only=True)
class Trial:
    """One client under trial, and what it meets."""

    place: Place
    gate: Gate
    stack: ExitStack = field(default_factory=ExitStack)
    process: subprocess.Popen[bytes] | pexpect.spawn[str] | None = None

    def start(self, program: str, *arguments: str, text: str = "", **env: str) -> subprocess.Popen[bytes]:
        """Start a client whose output nobody reads; its input, after `text`, is silent."""
        process = subprocess.Popen(
            [sys.executable, str(ROOT / program), *arguments],
            cwd=self.place.folder,
            env={**self.env, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.process = process
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.flush()
        return process

    def menu(self, program: str, *arguments: str, **env: str) -> pexpect.spawn[str]:
        """Open a client in a terminal."""
        menu = pexpect.spawn(
            sys.executable,
            [str(ROOT / program), *arguments],
            cwd=str(self.place.folder),
            env={**self.env, "TERM": "dumb", "NO_COLOR": "1", **env},
            encoding="utf-8",
            timeout=60,
        )
        self.process = menu
        return menu

    @property
    def env(self) -> dict[str, str]:
        return {**self.place.env, "AWS_ENDPOINT_URL": self.gate.url}

    def until_called(self, operation: str) -> None:
        """Wait until the client makes a call."""
        wait_for(lambda: self.gate.calls[operation] or self.has_ended(), 60, operation)

    def until_idle(self) -> None:
        """Wait until the client has used no processor time for a while: it waits for something."""
        seen: list[tuple[float, list[str]]] = []

        def is_idle() -> bool:
            assert self.process is not None
            try:
                spent = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:
                return True
            if not seen or seen[-1][1] != spent:
                seen.append((time.monotonic(), spent))
            return self._hears() and time.monotonic() - seen[-1][0] > 0.5

        wait_for(is_idle, 60)

    def until_running(self) -> None:
        """Wait until the client's own code runs: before, Python ends at a signal as it likes."""
        wait_for(lambda: self.has_ended() or self._hears(), 60)

    def _hears(self) -> bool:
        """Whether the client handles SIGTERM by now."""
        assert self.process is not None
        caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        return bool(caught and int(caught[1], 16) & 1 << signal.SIGTERM - 1)

    def has_ended(self) -> bool:
        return isinstance(self.process, subprocess.Popen) and self.process.poll() is not None

    def go_back(self) -> float:
        """Send Ctrl-C and return how many seconds it took to come back to the menu, which then ends by its choice."""
        menu = self.process
        assert isinstance(menu, pexpect.spawn)
        started = time.monotonic()
        menu.sendcontrol("c")
        menu.expect_exact("Your choice: ")
        seconds = time.monotonic() - started
        menu.sendline("0")
        assert self._wait() == 0, f"the menu went on badly: {self._said()[-500:]}"
        return seconds

    def end(self, number: int, *, is_starting: bool = False) -> float:
        """Send a signal and return how many seconds the client took to end. Raises: AssertionError.

        One that is starting ends as any program does that hears no signals itself.
        """
        started = time.monotonic()
        assert self.process is not None
        os.kill(self.process.pid or 0, number)
        found = self._wait()
        seconds = time.monotonic() - started
        said = self._said()
        assert found == 128 + number or (is_starting and found == -number), f"{found}: {said[-500:]}"
        assert "Traceback" not in said, said[-500:]
        return seconds

    def _wait(self) -> int:
        if isinstance(self.process, subprocess.Popen):
            try:
                return self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("not ended within 60 s") from None
        menu = self.process
        assert menu is not None
        wait_for(lambda: not menu.isalive(), 60, "the menu's end")
        return -menu.signalstatus if menu.signalstatus else int(menu.exitstatus or 0)

    def _said(self) -> str:
        process = self.process
        if isinstance(process, subprocess.Popen):
            return process.stderr.read().decode() if process.stderr else ""
        return str(process.read()) if process else ""

    def close(self) -> None:
        """End what is left of the client."""
        if isinstance(self.process, subprocess.Popen):
            self.process.kill()
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                with contextlib.suppress(OSError, AttributeError):
                    stream.close()  # type: ignore[union-attr]  # all three are pipes
            self.process.wait()
        elif self.process is not None:
            self.process.close(force=True)
        self.stack.close()


def _send(trial: Trial) -> None:
    trial.start(NUMBERS, "send", "1")
    trial.until_called("ReceiveMessage")


def _batch(trial: Trial) -> None:
    (trial.place.folder / "lists.txt").write_text("1,2\n" * 30)
    trial.start(NUMBERS, "batch", "lists.txt")
    trial.until_called("ReceiveMessage")


def _batch_of_a_silent_pipe(trial: Trial) -> None:
    trial.start(NUMBERS, "batch", "-", text="1,2\n3,4\n")
    trial.until_called("ReceiveMessage")


def _silent_pipe(trial: Trial) -> None:
    trial.start(NUMBERS, "file", "-", text="1,2,")
    trial.until_idle()


def _silent_pipe_in_an_upload(trial: Trial) -> None:
    trial.start(NUMBERS, "file", "-", text=LONG_LIST * 8)
    trial.until_called("S3:PUT")


def _long_list(trial: Trial) -> None:
    (trial.place.folder / "long.txt").write_text(LONG_LIST)
    trial.start(NUMBERS, "file", "long.txt")
    trial.until_called("ReceiveMessage")


def _upload(trial: Trial) -> None:
    trial.gate.fail("latency", "S3:PUT", seconds=0.5)
    (trial.place.folder / "long.txt").write_text(LONG_LIST)
    trial.start(NUMBERS, "file", "long.txt")
    trial.until_called("S3:PUT")


def _upload_in_parts_that_hangs(trial: Trial) -> None:
    trial.gate.fail("black_hole", "S3:PUT", seconds=FOREVER)
    (trial.place.folder / "longer.txt").write_text(LONG_LIST * 8)
    trial.start(NUMBERS, "file", "longer.txt")
    trial.until_called("S3:PUT")


def _silent_aws(trial: Trial) -> None:
    trial.gate.fail("black_hole", "GetQueueUrl", seconds=FOREVER)
    trial.start(NUMBERS, "send", "1")
    trial.until_called("GetQueueUrl")


def _unreachable_aws(trial: Trial) -> None:
    trial.gate.fail("reset", "GetQueueUrl")
    trial.start(NUMBERS, "send", "1")
    trial.until_called("GetQueueUrl")


def _named_pipe(trial: Trial) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkfifo(trial.place.folder / "pipe")
    trial.start(NUMBERS, "file", "pipe")
    trial.until_idle()


def _batch_of_a_named_pipe(trial: Trial) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkfifo(trial.place.folder / "pipe")
    trial.start(NUMBERS, "batch", "pipe")
    trial.until_idle()


def _output_that_nobody_reads(trial: Trial) -> None:
    (trial.place.folder / "bad.txt").write_text("x\n" * 5_000)
    trial.start(NUMBERS, "batch", "bad.txt")
    trial.until_idle()


def _check(trial: Trial) -> None:
    trial.start(NUMBERS, "check")
    trial.until_called("ReceiveMessage")


def _expired_keys(trial: Trial) -> None:
    file = trial.place.folder / "credentials"
    file.write_text("[default]\naws_access_key_id=AKIA\naws_secret_access_key=x\naws_session_token=y\n")
    trial.gate.fail("answer", answer=EXPIRED)
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": str(file)}
    trial.start(NUMBERS, "send", "1", **env)
    trial.until_called("GetQueueUrl")


def _image(trial: Trial) -> None:
    trial.start(IMAGES, "run")
    trial.until_called("ReceiveMessage")


def _images(trial: Trial) -> None:
    for number in range(4):
        (trial.place.folder / f"{number}.png").write_bytes(sample())
    trial.start(IMAGES, "run", *(f"{number}.png" for number in range(4)))
    trial.until_called("ReceiveMessage")


def _image_upload(trial: Trial) -> None:
    trial.gate.fail("black_hole", "S3:PUT", seconds=FOREVER)
    trial.start(IMAGES, "upload", "--replace")
    trial.until_called("S3:PUT")


def _image_download(trial: Trial) -> None:
    trial.place.client("s3").put_object(Bucket=trial.place.bucket, Key="images/processed/one.png", Body=sample())
    trial.gate.fail("black_hole", "S3:GET", seconds=FOREVER)
    trial.start(IMAGES, "download", "one.png")
    trial.until_called("S3:GET")


def _prompt(trial: Trial) -> None:
    trial.menu(NUMBERS).expect_exact("Your choice: ")


def _images_prompt(trial: Trial) -> None:
    menu = trial.menu(IMAGES)
    menu.expect_exact("Your choice: ")
    menu.sendline("1")
    menu.expect_exact("File")


def _half_a_paste(trial: Trial) -> None:
    menu = trial.menu(NUMBERS, TERM="xterm-256color")
    menu.expect_exact("Your choice: ")
    menu.sendline("3")
    menu.expect_exact("Numbers: ")
    menu.send("\x1b[200~12\t")
    trial.until_idle()


def _rejected_line(trial: Trial) -> None:
    menu = trial.menu(NUMBERS, TERM="xterm-256color")
    menu.expect_exact("Your choice: ")
    menu.sendline("1,,22")
    menu.expect_exact("is empty")
    menu.expect("Your choice: .*1,,22")


def _menu_waiting(trial: Trial) -> None:
    menu = trial.menu(NUMBERS)
    menu.expect_exact("Your choice: ")
    menu.sendline("1")
    trial.until_called("ReceiveMessage")


def _question(trial: Trial) -> None:
    trial.place.post("requestQueue", "1")
    trial.menu(NUMBERS, "purge").expect_exact("[y/N]")


def _start(trial: Trial) -> None:
    trial.start(NUMBERS, "send", "1")
    trial.until_running()


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Where a client waits, and how long it may take to end there."""

    begin: Callable[[Trial], None]
    limit_seconds: float = SECONDS
    #: Whether Ctrl-C goes back to a menu there.
    is_in_menu: bool = False

    @property
    def name(self) -> str:
        return self.begin.__name__.strip("_").replace("_", " ")


SITUATIONS = [
    *(
        Situation(begin=begin)
        for begin in (
            _start,
            _send,
            _batch,
            _batch_of_a_silent_pipe,
            _silent_pipe,
            _silent_aws,
            _unreachable_aws,
            _named_pipe,
            _batch_of_a_named_pipe,
            _output_that_nobody_reads,
            _check,
            _expired_keys,
            _image,
            _images,
            _image_download,
            _prompt,
            _question,
            _half_a_paste,
            _rejected_line,
        )
    ),
    *(
        Situation(begin=begin, limit_seconds=UPLOAD_SECONDS)
        for begin in (_silent_pipe_in_an_upload, _long_list, _upload, _upload_in_parts_that_hangs, _image_upload)
    ),
    *(Situation(begin=begin, is_in_menu=True) for begin in (_images_prompt, _menu_waiting)),
]


def left_behind(place: Place) -> list[str]:
    """Return what a client left in the bucket, among the queues, or in its folder."""
    s3 = place.client("s3")
    uploads = s3.list_multipart_uploads(Bucket=place.bucket).get("Uploads", [])
    objects = s3.list_objects_v2(Bucket=place.bucket, Prefix="numbers/").get("Contents", [])
    queues = place.client("sqs").list_queues(QueueNamePrefix="responseQueue-").get("QueueUrls", [])
    files = place.folder.glob(".courier-*")
    return [*(one["Key"] for one in [*uploads, *objects]), *queues, *map(str, files)]


def attempt(place: Place, situation: Situation, number: int, moment_seconds: float) -> float:
    """Bring a client into a situation, send it a signal, and return how long it took to end.

    Raises: AssertionError if it ended otherwise than it should, or left something behind.
    """
    gate = Gate(place.env["AWS_ENDPOINT_URL"])
    trial = Trial(place=place, gate=gate)
    try:
        situation.begin(trial)
        time.sleep(moment_seconds)
        is_going_back = situation.is_in_menu and number == signal.SIGINT
        is_starting = situation.begin is _start
        seconds = trial.go_back() if is_going_back else trial.end(number, is_starting=is_starting)
        left = left_behind(place)
        assert not left, f"left behind: {left}"
        return seconds
    finally:
        trial.close()
        gate.close()


@contextlib.contextmanager
def _load(count: int) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _report(place: Place, situation: Situation, tries: int, chance: random.Random) -> int:
    seconds: list[float] = []
    failures: list[str] = []
    for index in range(tries):
        number = SIGNALS[index % len(SIGNALS)]
        try:
            seconds.append(attempt(place, situation, number, chance.uniform(0, MOMENT_SECONDS)))
        except AssertionError as error:
            failures.append(f"    {signal.Signals(number).name}: {error}")
    late = sum(one > situation.limit_seconds for one in seconds)
    slowest = f"{max(seconds):.2f}" if seconds else "-"
    row = f"{situation.name:<28} {tries:>5} {len(failures):>8} {late:>5} {slowest:>7} of {situation.limit_seconds:g} s"
    print(row, *failures[:5], sep="\n", flush=True)
    return len(failures) + late


def main() -> int:
    """Run the trials; return 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--load", type=int, default=2)
    parser.add_argument("--only", default="", help="the places whose names have this word in them")
    given = parser.parse_args()
    chance = random.Random(1)
    wrong = 0
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)  # for clients
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = Engine(name="ministack", folder=folder / "engine").start()
        stack.callback(engine.stop)
        stack.enter_context(_load(given.load))
        print(f"{'place':<28} {'tries':>5} {'failures':>8} {'late':>5} {'slowest':>7}")
        for situation in SITUATIONS:
            if given.only in situation.name:
                wrong += _report(_fresh_place(engine, folder, stack), situation, given.tries, chance)
    return 1 if wrong else 0


def _fresh_place(engine: Engine, folder: Path, stack: ExitStack) -> Place:
    account = fresh_account()
    home = folder / account
    home.mkdir()
    env = {**unmeasured(engine.environment(account)), "HOME": str(home)}
    place = Place(env=env, folder=home, stack=stack)
    place.create_queues()
    place.create_bucket()
    return place


if __name__ == "__main__":
    sys.exit(main())
