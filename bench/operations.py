"""Make the README's table of operations, and the small picture of each in docs/operations.

    python -m bench.operations

Prints the table. The pictures show the sample picture, a sixth of its size.
"""

from __future__ import annotations

import io
from pathlib import Path

from courier.images import pipeline, preview, processor
from courier.images.probe import Bounds

ROOT = Path(__file__).parent.parent
SMALL = "thumbnail=106"
#: An example of each operation that needs a value, or shows more with one.
EXAMPLES = {
    "posterize": "posterize=1", "brightness": "brightness=1.6", "contrast": "contrast=0.4",
    "saturation": "saturation=0.2",
    "blur": "blur=3", "sharpen": "sharpen=400", "rotate": "rotate=20:gold", "crop": "crop=60x50",
    "resize": "resize=60x80:cover", "thumbnail": "thumbnail=60", "border": "border=6:navy",
    "watermark": "watermark=Courier:center", "convert": "convert=jpeg:5",
}  # fmt: skip


def rows() -> list[str]:
    """Return the table's rows, without the pictures' making."""
    return [
        f"| `{name}{'=' * bool(kind.value)}{kind.value.replace('|', chr(92) + '|')}` | {kind.help} "
        f"| ![{name}](docs/operations/{name}.png) |"
        for name, kind in pipeline.KINDS.items()
    ]


def draw(name: str) -> bytes:
    """Return the picture of an operation, as a small PNG."""
    bounds = Bounds(megapixels=10, frames=1)
    example = EXAMPLES.get(name, name)
    made = processor.process(io.BytesIO(preview.sample()), name="a.png", operations=f"{SMALL},{example}", bounds=bounds)
    return processor.process(io.BytesIO(made.content), name="a", operations="convert=png", bounds=bounds).content


def main() -> None:
    """Write the pictures and print the table."""
    for name in pipeline.KINDS:
        (ROOT / f"docs/operations/{name}.png").write_bytes(draw(name))
    print("| operation | what it does | the sample |\n|---|---|---|")
    print("\n".join(rows()))


if __name__ == "__main__":
    main()
