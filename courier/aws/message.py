"""An SQS message: a body, string attributes, and its size as SQS counts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message in a queue: a body and its string attributes."""

    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """The size by SQS's count: the UTF-8 body, and each attribute's name, type (`String`) and value."""
        named = sum(len(name) + len("String") + len(value.encode()) for name, value in self.attributes.items())
        return len(self.body.encode()) + named
