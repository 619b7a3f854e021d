"""Images in little memory, as on a small machine. `python -m bench.memory --group 755` does more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support.memory_groups import can_be_made, memory_group
from tests.support.place import ROOT

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, and control groups for memory")

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


def test_every_image_is_processed_or_out_of_memory_and_the_worker_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    Image.effect_noise((3000, 2000), 50).convert("RGB").save(file)
    asked = ["sepia", "sepia", "convert=avif", "grayscale"]

    with memory_group(150) as group:
        command = group.command([sys.executable, "-c", PROGRAM, str(file), *asked])
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["done", "done", "out_of_memory", "done"]
