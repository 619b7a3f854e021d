"""AWS's descriptions of its services, read once a process: each session of botocore reads them again."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


def read_once() -> None:
    """Have all sessions of this process share what one of them has read."""
    Loader.list_available_services = _services  # type: ignore[method-assign,assignment]
    JSONFileLoader.load_file = _file  # type: ignore[method-assign,assignment]


_load_file = JSONFileLoader.load_file
_list_services = Loader.list_available_services


def _file(_: JSONFileLoader, path: str) -> Any:
    return _read(path)


@cache
def _read(path: str) -> Any:
    return _load_file(JSONFileLoader(), path)


def _services(loader: Loader, kind: str) -> Any:
    return _list(tuple(loader.search_paths), kind)


@cache
def _list(paths: tuple[str, ...], kind: str) -> Any:
    return _list_services(Loader(extra_search_paths=list(paths), include_default_search_paths=False), kind)
