"""How much memory the work on images takes, and what becomes of it on a small machine.

    python -m bench.memory                 measures it into bench/memory.json; then: python -m scripts.docs
    python -m bench.memory --all           each operation and format, beside what the worker expects
    python -m bench.memory --group 755     both workers in a control group of that many MB, as on a t3.micro (as root)

Measured is the peak of an image process, less what it has without work: of its resident memory, and of its address
space, which is limited.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from bench.batch import new_account, store
from bench.images import photo
from courier.images import memory
from courier.images.operations import OPERATIONS
from tests.support.engines import Engine
from tests.support.memory_groups import memory_group
from tests.support.place import ROOT

MEASURED = Path(__file__).with_suffix(".json")
#: Operations as people ask for them, from little memory to much.
PIPELINES = (
    "thumbnail=800", "grayscale", "convert=jpeg:80", "rotate=90", "sharpen", "blur=5", "convert=webp:80",
    "sepia,sharpen,convert=png", "resize=50%:linear", "convert=gif", "convert=avif",
)  # fmt: skip
#: Sizes of photographs, by their megapixels.
SIZES = {12: (4000, 3000), 24: (6000, 4000), 50: (8000, 6250)}
_CHILD = """
import sys
from courier.images import processor
from courier.images.probe import Bounds
def highest():
    with open("/proc/self/status") as file:
        found = dict(line.split(":") for line in file if line.startswith("Vm"))
    return [int(found[name].split()[0]) * 1024 / 1e6 for name in ("VmHWM", "VmPeak")]
before = highest()
with open(sys.argv[1], "rb") as file:
    processor.process(file, name="a", operations=sys.argv[2], bounds=Bounds(megapixels=1000, frames=300))
print(*(after - one for one, after in zip(before, highest())))
"""


def taken_megabytes(path: Path, operations: str) -> tuple[int, int]:
    """Return how much memory, and how much address space, the work on an image takes."""
    command = [sys.executable, "-c", _CHILD, str(path), operations]
    environment = {"MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    resident, space = map(float, done.stdout.split())
    return round(resident), round(space)


def expected_megabytes(path: Path, operations: str) -> int:
    """Return what a worker expects."""
    with path.open("rb") as file:
        return round(memory.needs({"operations": operations, "megapixels": 1000}, file))


def each_operation() -> Iterator[str]:
    """Yield a pipeline of each operation, and of each format."""
    for name, operation in OPERATIONS.items():
        if name == "convert":
            continue
        example = operation.example or {"resize": "50%"}.get(name, "")
        yield f"{name}={example}" if example else name
    yield from ("rotate=90", "crop=3000x2000", "resize=50%", "resize=50%:linear")
    yield from (f"convert={name}" for name in ("jpeg", "png", "gif", "webp", "avif", "tiff"))


def show(path: Path, operations: str) -> int:
    """Print what an image takes, and what is expected; return the address space, which is limited."""
    (taken, space), expected = taken_megabytes(path, operations), expected_megabytes(path, operations)
    times = expected / max(taken, 1)
    print(f"{path.name:12}{operations:30}{taken:6} of {space:5} MB, expected {expected:6} MB, {times:.2f}", flush=True)
    return space


def measure(folder: Path) -> None:
    """Write what the table in the documentation is made of."""
    rows = [
        {
            "operations": operations,
            "megapixels": megapixels,
            "megabytes": show(folder / f"{megapixels}.jpg", operations),
        }
        for operations in PIPELINES
        for megapixels in SIZES
    ]
    MEASURED.write_text("[\n" + ",\n".join(f" {json.dumps(row)}" for row in rows) + "\n]\n")


def files(folder: Path, *, all_kinds: bool) -> None:
    """Write the images that are measured."""
    for megapixels, size in {12: SIZES[12]}.items() if all_kinds else SIZES.items():
        (folder / f"{megapixels}.jpg").write_bytes(photo(*size, "RGB", "JPEG"))
    if all_kinds:
        (folder / "clear.png").write_bytes(photo(*SIZES[12], "RGBA", "PNG"))
        with Image.open(folder / "12.jpg") as image:
            image.convert("L").save(folder / "gray.jpg")
            image.save(folder / "scans.jpg", progressive=True, quality=90)


def on_small_machine(folder: Path, megabytes: int) -> None:
    """Print what both workers make of 50 megapixels in a control group, two at once."""
    engine = Engine(name="ministack", folder=folder / "engine").start()
    try:
        account = new_account(engine)
        content = (folder / "50.jpg").read_bytes()
        for name in ("one.jpg", "two.jpg"):
            key = f"images/unprocessed/{name}"
            store(engine, account).put_object(Bucket=f"lab3-{account}-us-east-1", Key=key, Body=content)
        with memory_group(megabytes) as group:
            workers = [
                subprocess.Popen(
                    group.command([sys.executable, program]),
                    cwd=ROOT,
                    env={**engine.environment(account), "TMPDIR": str(folder)},
                    stderr=subprocess.PIPE,
                    text=True,
                )
                for program in ("numbers_worker.py", "images_worker.py")
            ]
            for worker in workers:
                assert worker.stderr
                while "listens on" not in (line := worker.stderr.readline()):
                    print(line.rstrip())
            print(f"both workers idle: {group.resident_megabytes} MB")
            for operations in PIPELINES:
                asked = [ask(engine, account, name, operations) for name in ("one.jpg", "two.jpg")]
                answers = [process.communicate()[0].strip() for process in asked]
                assert all(worker.poll() is None for worker in workers)
                print(f"{operations:30}{group.kills:3} killed so far: {'; '.join(answers)}", flush=True)
            for worker in workers:
                worker.terminate()
                worker.communicate()
    finally:
        engine.stop()


def ask(engine: Engine, account: str, name: str, operations: str) -> subprocess.Popen[str]:
    """Begin to have an image processed."""
    command = [sys.executable, "images_client.py", "process", name, "--operations", operations, "--timeout", "600"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=engine.environment(account),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="each operation and format")
    parser.add_argument("--group", type=int, metavar="MB", help="both workers in a control group")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(folder, all_kinds=given.all)
        if given.group:
            on_small_machine(folder, given.group)
        elif given.all:
            for path in sorted(folder.glob("*.*")):
                for operations in each_operation():
                    show(path, operations)
        else:
            measure(folder)


if __name__ == "__main__":
    main()
