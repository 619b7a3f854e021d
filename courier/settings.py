"""All settings, read once from the environment. A wrong value or an unknown name is rejected by name.

AWS's own configuration (profile, region, keys, endpoint) is boto3's to read and is not repeated here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from courier.errors import WrongSetting
from courier.text import quoted

PREFIX = "COURIER_"
#: Where pictures lie in the bucket, before and after.
UNPROCESSED = "images/unprocessed/"
PROCESSED = "images/processed/"
#: Where lists lie that do not fit a message.
LISTS = "numbers/unprocessed/"

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_SWITCH = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


def _matching(pattern: re.Pattern[str], rule: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(rule)
        return text

    return read


def _number(kind: type[int | float], low: float, high: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:  # noqa: ANN401  an int or a float, as `kind` says
        try:
            value = kind(text)
        except ValueError:
            value = kind(low) - 1
        if not low <= value <= high:
            raise ValueError(f"a{' whole' if kind is int else ''} number from {low:g} to {high:g}")
        return value

    return read


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError("1 or 0")
    return _SWITCH[text.lower()]


_queue_name = _matching(_QUEUE_NAME, "1 to 80 letters, digits, - or _")
_bucket_name = _matching(_BUCKET_NAME, "3 to 63 lower-case letters, digits, dots or dashes")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the programs can be told. Every time is in seconds; None means that the program decides."""

    request_queue: str = "requestQueue"
    response_queue: str = "responseQueue"
    image_inbox: str = "imageInbox"
    image_outbox: str = "imageOutbox"
    #: None: lab3-<account id>-<region>, asked of STS, so that clients and workers agree without a file.
    bucket: str | None = None
    #: Plain output: no spinner, no bars, no boxes, one fact a line.
    plain: bool = False
    #: How long a client waits for its answer.
    timeout_seconds: float = 60.0
    #: How long one receive waits in a long poll (SQS allows up to 20).
    poll_seconds: int = 20
    #: The visibility timeout of a message in a worker's hands; a heartbeat renews it while the work lasts.
    visibility_seconds: int = 10
    #: How many requests a worker works on at once.
    concurrency: int | None = None
    #: How long a worker that was told to stop may take to finish what it has begun.
    grace_seconds: float = 30.0
    #: How often a request is delivered before it is given up and put into the dead-letter queue.
    max_deliveries: int = 5
    #: How long the work on one request may take: less than the 12 hours that SQS lets anybody hold a message.
    time_limit_seconds: float = 120.0
    #: A list that does not fit a message is split into parts of so many megabytes (10^6 bytes), a request each.
    list_part_megabytes: float = 16.0
    #: The largest picture file, in megabytes (10^6 bytes), and the most pixels, in millions, before and after.
    image_max_megabytes: float = 50.0
    image_max_megapixels: float = 50.0
    #: The most frames of a moving picture; its pixels count in each of them.
    image_max_frames: int = 300
    #: What the work on one picture may take, its transfer apart: time, and memory in megabytes (10^6 bytes).
    image_seconds: float = 30.0
    image_memory_megabytes: int = 1000
    #: The Auto Scaling group and the instance that a worker protects from scale-in while it works; None: none.
    scaling_group: str | None = None
    instance_id: str | None = None


_READERS: dict[str, Callable[[str], Any]] = {
    "request_queue": _queue_name,
    "response_queue": _queue_name,
    "image_inbox": _queue_name,
    "image_outbox": _queue_name,
    "bucket": _bucket_name,
    "plain": _switch,
    "timeout_seconds": _number(float, 0.1, 3600),
    "poll_seconds": _number(int, 1, 20),
    "visibility_seconds": _number(int, 1, 43_200),
    "concurrency": _number(int, 1, 64),
    "grace_seconds": _number(float, 0, 3600),
    "max_deliveries": _number(int, 2, 1000),
    "time_limit_seconds": _number(float, 0.1, 40_000),
    "list_part_megabytes": _number(float, 0.001, 5000),
    "image_max_megabytes": _number(float, 0.001, 5000),
    "image_max_megapixels": _number(float, 0.001, 1000),
    "image_max_frames": _number(int, 1, 100_000),
    "image_seconds": _number(float, 0.1, 3600),
    "image_memory_megabytes": _number(int, 100, 1_000_000),
    "scaling_group": _matching(re.compile(r"[A-Za-z0-9._-]{1,255}"), "1 to 255 letters, digits, dots, - or _"),
    "instance_id": _matching(re.compile(r"i-[0-9a-f]{8,17}"), "an instance ID, such as i-0123456789abcdef0"),
}


def variable(name: str) -> str:
    """Return the environment variable that sets the field `name`."""
    return PREFIX + name.upper()


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `environment` makes; an empty value counts as not set.

    Raises: WrongSetting, naming the variable, its value and what it may be.
    """
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    _refuse_unknown(given)
    return Settings(**{name: _read(name, given[variable(name)]) for name in _READERS if variable(name) in given})


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = [variable(name) for name in _READERS]
    for name in given:
        if name not in known:
            raise WrongSetting(
                f"{name} is not a setting of this program.", hint=f"Its settings are {', '.join(known)}."
            )


def _read(name: str, text: str) -> Any:  # noqa: ANN401  the field's own type
    try:
        return _READERS[name](text)
    except ValueError as error:
        message = f"{variable(name)} is {quoted(text)}, and must be {error}."
        raise WrongSetting(message, hint="Correct it, or unset it for the default.") from error
