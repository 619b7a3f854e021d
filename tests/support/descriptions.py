"""AWS's descriptions of its services, read once a process: each session of botocore reads them again.

With them, what follows from them and from botocore alone: which of its functions take any argument, what an event is
called, and the rules for endpoints. To work that out again is more than half of what a client costs.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from botocore import hooks
from botocore.endpoint_provider import EndpointProvider, RuleSet
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader, Loader


def read_once() -> None:
    """Have all sessions of this process share what one of them has read."""
    Loader.list_available_services = _services  # type: ignore[method-assign,assignment]
    JSONFileLoader.load_file = _file  # type: ignore[method-assign,assignment]
    EventAliaser.__init__ = _have_aliases  # type: ignore[method-assign,assignment]
    EndpointProvider.__init__ = _have_rules  # type: ignore[method-assign,assignment]
    hooks.accepts_kwargs = _takes_any  # type: ignore[assignment]


_load_file = JSONFileLoader.load_file
_list_services = Loader.list_available_services
_alias = EventAliaser.__init__
#: What an event is called by the aliases of all sessions.
_NAMES: dict[str, str] = {}
#: Rules by where their description and that of the partitions are, which stay in memory with them.
_RULES: dict[tuple[int, int], tuple[RuleSet, object, object]] = {}


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


def _have_aliases(emitter: EventAliaser, event_emitter: Any, event_aliases: Any = None) -> None:
    _alias(emitter, event_emitter, event_aliases)
    if event_aliases is None:
        emitter._alias_name_cache = _NAMES  # type: ignore[attr-defined]


def _have_rules(provider: Any, ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> None:
    key = id(ruleset_data), id(partition_data)
    if key not in _RULES:
        _RULES[key] = RuleSet(**ruleset_data, partitions=partition_data), ruleset_data, partition_data
    provider.ruleset = _RULES[key][0]
    provider._excluded_params = excluded_params or frozenset()


def _takes_any(function: Any) -> str | None:
    """Return the name of the parameter that takes any argument by name."""
    return _named(getattr(function, "__func__", function))


@cache
def _named(function: Any) -> str | None:
    return inspect.getfullargspec(function).varkw
