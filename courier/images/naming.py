"""Names and formats of results, from the source's name and format and the operations."""

from __future__ import annotations

from pathlib import PurePosixPath

from courier.files import MAX_NAME_BYTES
from courier.images import pipeline
from courier.images.formats import FORMATS, named_by
from courier.images.operation import Step
from courier.images.probe import Header


def name_for(name: str, steps: list[Step], header: Header) -> str:
    """Return what the result is called of a picture whose header is known."""
    return result_name(name, steps, target_of(header.format, steps, moving=header.is_moving))


def likely_names(name: str, steps: list[Step]) -> list[str]:
    """Return what the result may be called if the picture is what its name says."""
    source = (named_by(PurePosixPath(name).suffix) or FORMATS["PNG"]).name
    targets = [target_of(source, steps, moving=moving) for moving in (False, source == "GIF")]
    return list(dict.fromkeys(result_name(name, steps, target) for target in targets))


def result_name(name: str, steps: list[Step], wanted: str) -> str:
    """Return what the result is called: cat.jpg becomes cat-grayscale.jpg.

    Where the format changes, the whole old name stays and a point follows (cat.gif.grayscale.png), so that sources
    of several formats have results of several names.
    """
    path = PurePosixPath(name)
    ending = FORMATS[wanted].suffixes[0]
    done = pipeline.slug(steps, MAX_NAME_BYTES - len(f"{name}.{ending}".encode()))
    if named_by(path.suffix) is FORMATS[wanted]:
        return f"{path.stem}-{done}{path.suffix}"
    return f"{name}.{done}{ending}"


def target_of(source: str, steps: list[Step], *, moving: bool) -> str:
    """Return the format of the result of a picture of one format, moving or still."""
    asked = [step.values["target"] for step in steps if step.name == "convert"]
    if asked:
        return str(asked[-1])
    if moving:
        return source
    wanted = [step.operation.target for step in steps if step.operation.target]
    return wanted[-1] if wanted else source if FORMATS[source].stays else "PNG"
