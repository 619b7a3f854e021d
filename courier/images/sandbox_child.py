"""The sandbox's program for images.

python -m courier.images.sandbox_child SOURCE RESULT MEGABYTES
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from typing import IO, Any

from courier.images import memory, processor
from courier.images.probe import Bounds
from courier.sandbox_child import serve


def work(order: Mapping[str, Any], source: IO[bytes], result: IO[bytes]) -> dict[str, Any]:
    """Process the image in `source` into `result`; return its details. Raises: Rejected."""
    bounds = Bounds(megapixels=order["megapixels"], frames=order["frames"])
    logos = {name: base64.b64decode(content) for name, content in order.get("logos", {}).items()}
    made = processor.process(source, name=order["name"], operations=order["operations"], bounds=bounds, logos=logos)
    result.write(made.content)
    details = {"width": made.width, "height": made.height, "frames": made.frames, "notes": list(made.notes)}
    return {"name": made.name, "media_type": made.media_type, "details": details}


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], work, memory.needs, keeps_network=False))
