"""The generated part of the documentation that lists the names of the library, from their docstrings."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator

import courier

#: Base classes whose members are for the four programs.
INTERNAL = {"Connection"}


def api() -> str:
    """Return the names of the library: their signatures, and what their docstrings say."""
    names = (name for name in courier.__all__ if not name.startswith("_"))
    return "\n\n".join(part for name in names for part in _described(f"courier.{name}", getattr(courier, name)))


def _described(name: str, thing: object) -> Iterator[str]:
    yield f"## {name}\n\n{_signature(name, thing)}{_prose(thing)}"
    for member, value in _members(thing).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if member.startswith("_") or not _is_of(thing, function):
            continue
        yield f"### {name}.{member}\n\n{_signature(f'{name}.{member}', function)}{_prose(function)}"
        if isinstance(function, type):
            for inner, method in vars(function).items():
                if not inner.startswith("_") and _is_of(function, method):
                    yield f"#### {name}.{member}.{inner}\n\n{_signature(f'{member}.{inner}', method)}{_prose(method)}"


def _members(thing: object) -> dict[str, object]:
    """Return the members of a class, with those that it inherits from classes of this library, or of a module."""
    if isinstance(thing, types.ModuleType):
        return dict(vars(thing))
    if not isinstance(thing, type):
        return {}
    bases = [base for base in thing.__mro__ if base.__module__.startswith("courier") and base.__name__ not in INTERNAL]
    return {name: value for base in reversed(bases) for name, value in vars(base).items()}


def _is_of(owner: object, value: object) -> bool:
    """Whether a member is described: a function or a class with a docstring, which its module does not only import."""
    if not (inspect.isroutine(value) or isinstance(value, type)) or not value.__doc__:
        return False
    return not isinstance(owner, types.ModuleType) or getattr(value, "__module__", "") == owner.__name__


class _Bare(str):
    """A text that stands in a signature without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _signature(name: str, thing: object) -> str:
    if not callable(thing):
        return ""
    found = inspect.signature(thing)
    parameters = [_readable(one) for one in found.parameters.values() if one.name != "self"]
    shown = found.replace(parameters=parameters, return_annotation=_bare(found.return_annotation))
    return f"```python\n{name}{shown}\n```\n\n"


def _readable(parameter: inspect.Parameter) -> inspect.Parameter:
    # A function's own text says where it is in memory.
    default = _Bare("...") if inspect.isroutine(parameter.default) else parameter.default
    return parameter.replace(annotation=_bare(parameter.annotation), default=default)


def _bare(annotation: object) -> object:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _prose(thing: object) -> str:
    """Return a docstring, its examples as code."""
    lines, is_code = [], False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line.startswith(">>>") and not is_code:
            lines.append("```pycon")
            is_code = True
        elif is_code and not line.strip():
            lines.append("```")
            is_code = False
        lines.append(line)
    return "\n".join([*lines, "```"] if is_code else lines)
