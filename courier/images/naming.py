"""Names of results, from the source's name and format and the operations."""

from __future__ import annotations

from pathlib import PurePosixPath

from courier.files import MAX_NAME_BYTES
from courier.images.formats import FORMATS, named_by
from courier.images.pipeline import Pipeline
from courier.images.probe import Header


def name_for(name: str, pipeline: Pipeline, header: Header) -> str:
    """Return what the result is called of a picture whose header is known."""
    return result_name(name, pipeline, pipeline.target(header.format, moving=header.is_moving))


def likely_names(name: str, pipeline: Pipeline) -> list[str]:
    """Return what the result may be called if the picture is what its name says."""
    source = (named_by(PurePosixPath(name).suffix) or FORMATS["PNG"]).name
    targets = [pipeline.target(source, moving=moving) for moving in (False, source == "GIF")]
    return list(dict.fromkeys(result_name(name, pipeline, target) for target in targets))


def result_name(name: str, pipeline: Pipeline, wanted: str) -> str:
    """Return what the result is called: cat.jpg becomes cat-grayscale.jpg.

    Where the format changes, the whole old name stays and a point follows (cat.gif.grayscale.png), so that sources
    of several formats have results of several names.
    """
    path = PurePosixPath(name)
    ending = FORMATS[wanted].suffixes[0]
    done = pipeline.slug(MAX_NAME_BYTES - len(f"{name}.{ending}".encode()))
    if named_by(path.suffix) is FORMATS[wanted]:
        return f"{path.stem}-{done}{path.suffix}"
    return f"{name}.{done}{ending}"
