"""The demo of the README shows the programs of today, and plays whole."""

from __future__ import annotations

import re
import tomllib
from xml.etree import ElementTree as ET

from scripts import demo
from tests.support import transcripts
from tests.support.messages import GOLDEN
from tests.support.place import Place
from tests.support.shared import Shared

SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 200_000


def test_the_demo_shows_what_the_programs_print_today(served: Place, shared_servers: Shared) -> None:
    """Record it with `python -m scripts.demo`."""
    shell = transcripts.Shell(served, shared_servers.cli(), shared_servers.programs())

    recorded = ET.parse(demo.DEMO).findtext(f"{SVG}metadata")

    assert recorded == demo.digest(lambda command: transcripts.plain(shell.run(command)))


def test_the_demo_waits_for_texts_that_the_programs_have() -> None:
    said = GOLDEN.read_text()

    expected = [step["expect"] for step in tomllib.loads(demo.STORYBOARD.read_text())["step"] if "expect" in step]

    assert len(expected) > 5
    assert [text for text in expected if text not in said] == []


def test_the_demo_plays_within_its_frame() -> None:
    root = ET.parse(demo.DEMO).getroot()
    frame = root.find(f"{SVG}svg")
    assert frame is not None
    width, height = float(frame.attrib["width"]), float(frame.attrib["height"])

    names = {drawn.get("id") for drawn in root.iter(f"{SVG}g")}
    used = {one.attrib["href"] for one in root.iter(f"{SVG}use")}
    ends = [float(one.attrib["x"]) + float(one.attrib["textLength"]) for one in root.iter(f"{SVG}text")]
    style = root.findtext(f"{SVG}style") or ""
    film = [(float(at), -int(top)) for at, top in re.findall(r"([\d.]+)%\{transform:translateY\((-?\d+)px\)\}", style)]

    assert used <= {f"#{name}" for name in names}
    assert max(ends) <= width
    assert [top for _, top in film] == [number * height for number in range(len(film))]
    assert [at for at, _ in film] == sorted(at for at, _ in film)
    assert film[0][0] == 0
    assert 80 < film[-1][0] < 100
    assert demo.DEMO.stat().st_size < MOST_BYTES
