"""Names of results, from the source's name and format and the operations."""

from __future__ import annotations

from pathlib import PurePosixPath

from courier.files import MAX_NAME_BYTES
from courier.images.formats import FORMATS, named_by
from courier.images.pipeline import Pipeline
from courier.images.probe import Header


def name_for(name: str, pipeline: Pipeline, header: Header) -> str:
    """Return the name of a result, by the source's header."""
    return result_name(name, pipeline, pipeline.target(header.format, moving=header.is_moving))


def likely_names(name: str, pipeline: Pipeline) -> list[str]:
    """Return the possible names of a result, by the source's name."""
    source = (named_by(PurePosixPath(name).suffix) or FORMATS["PNG"]).name
    targets = [pipeline.target(source, moving=moving) for moving in (False, source == "GIF")]
    return list(dict.fromkeys(result_name(name, pipeline, target) for target in targets))


def result_name(name: str, pipeline: Pipeline, wanted: str) -> str:
    """Return the name of a result: cat.jpg becomes cat-grayscale.jpg.

    If the format changes, the source's whole name is kept (cat.gif.grayscale.png), so that sources in different formats
    have different results.
    """
    path = PurePosixPath(name)
    ending = FORMATS[wanted].suffixes[0]
    done = pipeline.slug(MAX_NAME_BYTES - len(f"{name}.{ending}".encode()))
    if named_by(path.suffix) is FORMATS[wanted]:
        return f"{path.stem}-{done}{path.suffix}"
    return f"{name}.{done}{ending}"
