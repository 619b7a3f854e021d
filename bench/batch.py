"""Many images from end to end, and what a worker's memory comes to with the largest and with the worst.

    python -m bench.batch [--images 24]

A folder of 12-megapixel JPEGs becomes thumbnails: by `images_client.py run` through bucket, queue and a worker on
a local AWS, and, without any of those, by a loop of plain Pillow and by ImageMagick's mogrify, where that is
installed; seconds on the clock. Then the peak memory of a worker and of the processes it works in, with an
allowed image of 100 megapixels and with one whose header promises 3,600.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from PIL import Image, ImageOps

from bench.images import bomb, photo
from bench.peers.meter import processor_seconds, tree
from bench.running import running
from bench.throughput import ROOT, create_queues
from tests.support.engines import REGION, Engine, fresh_account
from tests.support.place import ATTRIBUTES

LARGEST = {"COURIER_IMAGE_MAX_MEGAPIXELS": "100", "COURIER_IMAGE_SECONDS": "60"}


@contextmanager
def worker(engine: Engine, account: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Serve images while the caller works."""
    with running(["images_worker.py"], {**engine.environment(account), **settings}) as process:
        yield process


def client(engine: Engine, account: str, *arguments: str, **settings: str) -> str:
    """Run the client to its end; return what it said."""
    done = subprocess.run(
        [sys.executable, "images_client.py", *arguments],
        cwd=ROOT,
        env={**engine.environment(account), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def peak_megabytes(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Return the most memory that a worker has had, and the most that one of its children has."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    children = {pid for task in tasks for pid in (task / listed.name).read_text().split()}
    return _high_water(str(process.pid)), max(map(_high_water, children), default=0)


def _high_water(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def by_pillow(sources: Path, target: Path) -> None:
    """Make the thumbnails as one would with Pillow."""
    for path in sorted(sources.iterdir()):
        ImageOps.contain(Image.open(path), (800, 800)).save(target / path.name, quality=90)


def by_mogrify(sources: Path, target: Path) -> None:
    """Make the thumbnails with ImageMagick."""
    files = sorted(map(str, sources.iterdir()))
    program = shutil.which("mogrify") or ""
    subprocess.run([program, "-path", str(target), "-thumbnail", "800x800>", *files], check=True)


def timed(label: str, work: Callable[[], object]) -> float:
    """Do it and print how long it took."""
    started = time.monotonic()
    work()
    took = time.monotonic() - started
    print(f"  {label:34}{took:6.1f} s", flush=True)
    return took


def from_end_to_end(engine: Engine, folder: Path, images: int) -> None:
    """Measure a folder of thumbnails."""
    sources = folder / "sources"
    sources.mkdir()
    for number in range(images):
        (sources / f"photo-{number}.jpg").write_bytes(photo(4000, 3000, "RGB", "JPEG"))
    account = new_account(engine)
    print(f"{images} JPEGs of 12 megapixels to thumbnails of 800:")
    targets = [folder / name for name in ("ours", "pillow", "mogrify")]
    for target in targets:
        target.mkdir()
    arguments = ("run", str(sources), "--operations", "thumbnail=800", "--to", str(targets[0]))
    with worker(engine, account):
        ours = timed("ours, through bucket and queue", lambda: client(engine, account, *arguments))
        timed("ours, once more: all there", lambda: client(engine, account, *arguments))
    assert len(list(targets[0].glob("*.jpg"))) == images
    plain = timed("plain Pillow, one process", lambda: by_pillow(sources, targets[1]))
    print(f"  plain Pillow's time / ours {plain / ours:.2f}")
    if shutil.which("mogrify"):
        timed("ImageMagick's mogrify", lambda: by_mogrify(sources, targets[2]))


def measure(images: int = 12, rounds: int = 2) -> dict[str, Any]:
    """Return what a folder of thumbnails takes of the processors, by who takes it, and plain Pillow beside it."""
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name, "sources")
        sources.mkdir()
        content = photo(4000, 3000, "RGB", "JPEG")
        for number in range(images):
            # Not the same file twice, which would be uploaded once.
            (sources / f"{number}.jpg").write_bytes(content + bytes([number]))
        engine = Engine(name="ministack", folder=Path(name) / "engine").start()
        try:
            return {"images": images, "rounds": [_spent(engine, Path(name), f"{one}") for one in range(rounds)]}
        finally:
            engine.stop()


def _spent(engine: Engine, folder: Path, label: str) -> dict[str, float]:
    targets = [folder / f"{name}-{label}" for name in ("ours", "pillow")]
    for target in targets:
        target.mkdir()
    account = new_account(engine)
    assert engine.process is not None
    with worker(engine, account) as process:
        local, before, started = processor_seconds(engine.process.pid), os.times(), processor_seconds(process.pid)
        client(
            engine, account, "run", str(folder / "sources"), "--operations", "thumbnail=800", "--to", str(targets[0])
        )
        ours = os.times()
        all_of_worker = processor_seconds(process.pid) - started
        children = [processor_seconds(pid) for pid in tree(process.pid) if pid != process.pid]
        local = processor_seconds(engine.process.pid) - local
    own = time.process_time()
    by_pillow(folder / "sources", targets[1])
    return {
        "image processes": sum(children),
        "the busiest of them": max(children),
        "worker": all_of_worker - sum(children),
        "local AWS": local,
        "client": ours.children_user + ours.children_system - before.children_user - before.children_system,
        "plain Pillow": time.process_time() - own,
    }


def memory(engine: Engine) -> None:
    """Show what a worker needs for an allowed image of 100 megapixels, and for a bomb."""
    files = {"large.jpg": photo(11_500, 8_690, "RGB", "JPEG"), "bomb.png": bomb()}
    account = new_account(engine)
    s3 = store(engine, account)
    for name, content in files.items():
        s3.put_object(Bucket=f"lab3-{account}-us-east-1", Key=f"images/unprocessed/{name}", Body=content)
    whole = [("large.jpg", operations) for operations in ("thumbnail=800", "grayscale", "rotate=90", "blur=3")]
    for name, operations in (*whole, ("bomb.png", "grayscale")):
        with worker(engine, account, **LARGEST) as process:
            said = client(engine, account, "process", name, "--operations", operations)
            of_worker, of_child = peak_megabytes(process)
            print(f"{name}, {operations}: worker {of_worker} MB, its process {of_child} MB: {said.strip()[:110]}")


def new_account(engine: Engine) -> str:
    """Return an account with queues and a bucket."""
    account = fresh_account()
    sqs, _ = create_queues(engine, account)
    for name in ("imageInbox", "imageOutbox"):
        sqs.create_queue(QueueName=name, Attributes=ATTRIBUTES)
    store(engine, account).create_bucket(Bucket=f"lab3-{account}-us-east-1")
    return account


def store(engine: Engine, account: str) -> Any:
    """Return a bare client for the account's buckets."""
    return boto3.client(
        "s3",
        endpoint_url=engine.url,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )


def main() -> None:
    """Measure all of it and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=24)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        engine = Engine(name="ministack", folder=Path(name) / "engine").start()
        try:
            from_end_to_end(engine, Path(name), given.images)
            memory(engine)
        finally:
            engine.stop()


if __name__ == "__main__":
    main()
