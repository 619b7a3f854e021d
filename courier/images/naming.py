"""Names and formats of results, from the source's name and format and the operations."""

from __future__ import annotations

from pathlib import PurePosixPath

from courier.files import MAX_NAME_BYTES
from courier.images import pipeline
from courier.images.formats import FORMATS, Header
from courier.images.pipeline import Step

#: Formats that a still picture is stored in as it came; every other becomes a PNG. Moving ones stay what they are.
KEPT_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


def name_for(name: str, steps: list[Step], header: Header) -> str:
    """Return what the result is called of a picture whose header is known."""
    return result_name(name, steps, target_of(header.format, steps, moving=header.is_moving))


def likely_names(name: str, steps: list[Step]) -> list[str]:
    """Return what the result may be called if the picture is what its name says."""
    ending = PurePosixPath(name).suffix.lower()
    source = next((one for one, endings in FORMATS.items() if ending in endings), "PNG")
    return list(
        dict.fromkeys(
            result_name(name, steps, target_of(source, steps, moving=one)) for one in (False, source == "GIF")
        )
    )


def result_name(name: str, steps: list[Step], wanted: str) -> str:
    """Return what the result is called: cat.jpg becomes cat-grayscale.jpg.

    Where the format changes, the whole old name stays and a point follows (cat.gif.grayscale.png), so that sources
    of several formats have results of several names.
    """
    path = PurePosixPath(name)
    ending = FORMATS[wanted][0]
    done = pipeline.slug(steps, MAX_NAME_BYTES - len(f"{name}.{ending}".encode()))
    if path.suffix.lower() in FORMATS[wanted]:
        return f"{path.stem}-{done}{path.suffix}"
    return f"{name}.{done}{ending}"


def target_of(source: str, steps: list[Step], *, moving: bool) -> str:
    """Return the format of the result of a picture of one format, moving or still."""
    asked = [step.values["target"] for step in steps if step.name == "convert"]
    if asked:
        return str(asked[-1])
    if moving:
        return source
    is_dotted = any(step.name == "black-and-white" for step in steps)
    return source if source in KEPT_FORMATS and not is_dotted else "PNG"
