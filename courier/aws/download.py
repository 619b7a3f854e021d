"""The body of an object, which is read to its end although its connection breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef


#: The size of reads from a body: it fits the processor's cache.
CHUNK_BYTES = 2**17


class Download:
    """The body of a response. After a failed read, the next read requests the rest."""

    def __init__(
        self, response: GetObjectOutputTypeDef, start: int, rest: Callable[[int, int], GetObjectOutputTypeDef]
    ) -> None:
        self._body: StreamingBody = response["Body"]
        self._rest = rest
        self._start = start
        self._stop = start + response["ContentLength"]
        self._is_cut = False

    @property
    def is_short(self) -> bool:
        """Whether bytes are missing."""
        return self._start < self._stop

    def read(self) -> bytes:
        """Return the next bytes; empty at the end."""
        if self._is_cut:
            self._body, self._is_cut = self._rest(self._start, self._stop)["Body"], False
        try:
            chunk = self._body.read(CHUNK_BYTES)
        except BaseException:
            self._is_cut = True
            self.close()
            raise
        self._start += len(chunk)
        return chunk

    def close(self) -> None:
        """Close the connection."""
        self._body.close()
