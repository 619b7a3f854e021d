"""Images in little memory, as on a small machine. `python -m bench.memory --group 755` does more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support.memory_groups import MemoryGroup, can_be_made, memory_group
from tests.support.place import ROOT, Place, wait_for

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, and control groups for memory")

#: Both workers, idle, take about 100 MB of it.
GROUP_MEGABYTES = 250
#: Processes images, two at once, each with the operations that its line says; prints what became of each.
PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from courier.errors import Rejected
from courier.sandbox import Limits, Sandbox
cells = Sandbox("courier.images.sandbox_child", Limits(seconds=60, memory_megabytes=1000))
content = open(sys.argv[1], "rb").read()
def work(operations):
    with cells.cell() as cell:
        cell.source.write(content)
        try:
            cell.run({"name": "a.jpg", "operations": operations, "megapixels": 50, "frames": 1})
        except Rejected as rejection:
            return str(rejection.reason)
        return "done"
with ThreadPoolExecutor(2) as threads:
    print(json.dumps(list(threads.map(work, sys.argv[2:]))))
"""


def noise(file: Path) -> None:
    """Write a photo of 6 megapixels."""
    Image.effect_noise((3000, 2000), 50).convert("RGB").save(file)


def start_worker(place: Place, group: MemoryGroup, program: str) -> subprocess.Popen[bytes]:
    """Start a worker in a group, and wait until it listens."""
    log = place.folder / f"{program}.log"
    environment = {**place.env, "PYTHONPATH": str(ROOT), "TMPDIR": str(place.folder)}
    with log.open("wb") as file:
        command = group.command([sys.executable, program])
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stderr=file)
    place.stack.callback(process.kill)
    wait_for(lambda: "listens on" in log.read_text(), what=f"the start of {program}")
    return process


def test_every_image_is_processed_or_out_of_memory_and_the_worker_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    noise(file)
    asked = ["sepia", "sepia", "convert=avif", "grayscale"]

    with memory_group(150) as group:
        command = group.command([sys.executable, "-c", PROGRAM, str(file), *asked])
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["done", "done", "out_of_memory", "done"]


def test_both_workers_on_one_small_machine_answer_all_and_go_on(place: Place) -> None:
    for name in ("one.jpg", "two.jpg"):
        noise(place.folder / name)
    outcomes: list[tuple[str, str]] = []

    with memory_group(GROUP_MEGABYTES) as group:
        workers = [start_worker(place, group, program) for program in ("numbers_worker.py", "images_worker.py")]
        for operations in ("sepia", "convert=avif", "grayscale"):
            asked = ("run", "one.jpg", "two.jpg", "--json", "--operations", operations, "--to", operations)
            rows = [json.loads(line) for line in place.run("images_client.py", *asked).stdout.splitlines()]
            outcomes += [(row["reason"] or row["error"] or "done", operations) for row in rows]
        numbers = place.run("numbers_client.py", "send", "1 2 3", "--json")
        are_alive = [worker.poll() is None for worker in workers]
        for worker in workers:
            worker.terminate()
            worker.wait(60)

    assert outcomes == [
        *[("done", "sepia")] * 2,
        *[("out_of_memory", "convert=avif")] * 2,
        *[("done", "grayscale")] * 2,
    ]
    assert json.loads(numbers.stdout)["sum"] == 6
    assert are_alive == [True, True]
