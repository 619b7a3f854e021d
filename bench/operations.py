"""Make the small picture of each operation in docs/operations, which the README's table shows.

    python -m bench.operations

They show the sample picture, a sixth of its size.
"""

from __future__ import annotations

import io
from pathlib import Path

from courier.images import preview, processor
from courier.images.operation import Operation
from courier.images.operations import OPERATIONS
from courier.images.probe import Bounds

ROOT = Path(__file__).parent.parent
SMALL = "thumbnail=106"


def draw(known: Operation) -> bytes:
    """Return the picture of an operation, as a small PNG."""
    bounds = Bounds(megapixels=10, frames=1)
    example = f"{known.name}{'=' * bool(known.example)}{known.example}"
    made = processor.process(io.BytesIO(preview.sample()), name="a.png", operations=f"{SMALL},{example}", bounds=bounds)
    return processor.process(io.BytesIO(made.content), name="a", operations="convert=png", bounds=bounds).content


def main() -> None:
    """Write the pictures."""
    for known in OPERATIONS.values():
        (ROOT / f"docs/operations/{known.name}.png").write_bytes(draw(known))


if __name__ == "__main__":
    main()
