"""Make the small image of each operation in docs/operations: the sample image, a sixth of its size.

Run it with `python -m bench.operations`, then `python -m scripts.docs`.
"""

from __future__ import annotations

import io
from pathlib import Path

from courier.images import preview, processor
from courier.images.operation import Operation
from courier.images.operations import OPERATIONS
from courier.images.probe import Bounds

ROOT = Path(__file__).parent.parent
SMALL, AS_SHOWN = "thumbnail=106", "thumbnail=320,convert=png"


def draw(known: Operation) -> bytes:
    """Return the image of an operation, as a small PNG."""
    bounds = Bounds(megapixels=10, frames=1)
    example = f"{known.name}{'=' * bool(known.example)}{known.example}"
    operations, sample = f"{SMALL},{example}", preview.sample()
    logos = {preview.SAMPLE_NAME: sample}
    made = processor.process(io.BytesIO(sample), name="a.png", operations=operations, bounds=bounds, logos=logos)
    return processor.process(io.BytesIO(made.content), name="a", operations=AS_SHOWN, bounds=bounds).content


def main() -> None:
    """Write the images."""
    for known in OPERATIONS.values():
        (ROOT / f"docs/operations/{known.name}.png").write_bytes(draw(known))


if __name__ == "__main__":
    main()
