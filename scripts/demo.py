"""Record the demo of the README: docs/demo/storyboard.toml, played on a local AWS, as one animated SVG.

    python -m scripts.demo [FOLDER]

It works in a copy of what git knows of this repository, or in FOLDER, another checkout, whose .local it empties; there
it sets up first, which may take minutes. The SVG bears a digest of the storyboard and of what its checked commands
print; a test says when that has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from courier.images.preview import sample
from scripts.recording import PROMPT, Recording
from scripts.svg import animated, still
from tests.support.transcripts import piped, plain

ROOT = Path(__file__).parents[1]
STORYBOARD = ROOT / "docs/demo/storyboard.toml"
DEMO = ROOT / "docs/demo/demo.svg"
PHOTOS = 60


def digest(output_of: Callable[[str], str]) -> str:
    """Return the digest of the storyboard and of what its checked commands print."""
    story = tomllib.loads(STORYBOARD.read_text())
    outputs = [output_of(step["type"]) for step in story["step"] if step.get("checked")]
    return hashlib.sha256(json.dumps([story, outputs]).encode()).hexdigest()


def main() -> int:
    """Record the demo; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="a checkout to work in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="courier-demo-") as temporary:
        folder = given.folder or _copied(Path(temporary) / "courier")
        DEMO.write_text(_recorded(folder))
    print(f"wrote {DEMO.relative_to(ROOT)}, {DEMO.stat().st_size / 1000:.0f} kB")
    return 0


def _copied(folder: Path) -> Path:
    """Return a copy of what git knows, set up."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def _recorded(folder: Path) -> str:
    story = tomllib.loads(STORYBOARD.read_text())
    _prepare(folder)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COURIER_"))}
    env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PS1": f"{PROMPT} ", "LC_ALL": "C.UTF-8"}
    recording = Recording(columns=story["columns"], rows=story["rows"], folder=folder, env=env)
    try:
        for step in story["step"]:
            if step.get("clear"):
                recording.clear()
            recording.step(keys=step["type"], expect=step.get("expect", ""), hold=step.get("hold", 0.0))
            recording.require(step.get("shows", ""))
            if name := step.get("still"):
                DEMO.with_name(f"{name}.svg").write_text(still(recording.screens[-1][0]))
        made = digest(lambda command: _output(command, folder, env))
    finally:
        recording.close()
        subprocess.run(["./run_local.sh", "down"], cwd=folder, check=False)
    return animated(recording.screens, seconds=story["seconds"], note=made)


def _prepare(folder: Path) -> None:
    """Set up, empty the local AWS, and make images that are large enough to be seen at work."""
    subprocess.run(["./run_local.sh", "setup"], cwd=folder, check=True)
    subprocess.run(["./run_local.sh", "down"], cwd=folder, check=True)
    for name in (".local", "photos", "small"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "photos").mkdir()
    image = Image.open(io.BytesIO(sample())).convert("HSV").resize((800, 600))
    hue, saturation, value = image.split()
    for number in range(PHOTOS):
        turned = hue.point([(level + number * 4) % 256 for level in range(256)])
        Image.merge("HSV", (turned, saturation, value)).convert("RGB").save(
            folder / f"photos/photo-{number + 1:02}.jpg"
        )


def _output(command: str, folder: Path, env: dict[str, str]) -> str:
    """Return what a command prints where there is no terminal, but for times."""
    return plain(piped(["bash", "-c", command], folder, env))


if __name__ == "__main__":
    sys.exit(main())
