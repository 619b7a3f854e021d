"""All settings, read once from the environment. Rejects invalid values and unknown names.

boto3 reads AWS's own configuration (profile, region, credentials, endpoint).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from courier.errors import WrongSetting
from courier.text import quoted

PREFIX = "COURIER_"
#: The prefixes of images in the bucket, before and after processing.
UNPROCESSED = "images/unprocessed/"
PROCESSED = "images/processed/"
#: The prefix of stored lists.
LISTS = "numbers/unprocessed/"

#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

#: A client's name, which is a part of objects' names.
_CLIENT_NAME_CHARACTER = re.compile(r"[A-Za-z0-9._-]")
MAX_CLIENT_NAME = 32
CLIENT_NAME_RULE = (
    f"1 to {MAX_CLIENT_NAME} letters (A to Z, upper or lower case), digits, dots, - or _, the first a letter or a digit"
)

_SWITCH = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
_SWITCH_RULE = "1 or 0"


@dataclass(frozen=True, kw_only=True)
class Values:
    """The values of a setting: their rule in words, and what reads one and raises ValueError with the rule."""

    rule: str
    read: Callable[[str], Any]


def _matching(pattern: re.Pattern[str], rule: str) -> Values:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(rule)
        return text

    return Values(rule=rule, read=read)


def _number(kind: type[int | float], low: float, high: float) -> Values:
    rule = f"a{' whole' if kind is int else ''} number from {low:,} to {high:,}"

    def read(text: str) -> Any:  # noqa: ANN401  an int or a float, as `kind` says
        try:
            value = kind(text)
        except ValueError:
            value = kind(low) - 1
        if not low <= value <= high:
            raise ValueError(rule)
        return value

    return Values(rule=rule, read=read)


def _read_switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(_SWITCH_RULE)
    return _SWITCH[text.lower()]


def client_name(text: str) -> str:
    """Return `text` if it can be a client's name. Raises: ValueError, with the rule and what breaks it."""
    wrong = next((char for char in text if not _CLIENT_NAME_CHARACTER.fullmatch(char)), "")
    faults = {
        "it is empty": not text,
        f"it has {len(text)}": len(text) > MAX_CLIENT_NAME,
        f"{quoted(wrong)} is none of them": wrong,
        f"it begins with {quoted(text[:1])}": not text[:1].isalnum(),
    }
    for fault in (fault for fault, is_so in faults.items() if is_so):
        raise ValueError(f"{CLIENT_NAME_RULE}: {fault}")
    return text


_switch = Values(rule=_SWITCH_RULE, read=_read_switch)
_client_name = Values(rule=CLIENT_NAME_RULE, read=client_name)
_queue_name = _matching(QUEUE_NAME, "1 to 80 letters, digits, - or _")
_bucket_name = _matching(
    _BUCKET_NAME, "3 to 63 lowercase letters, digits, dots or dashes, at both ends a letter or a digit"
)
_scaling_group = _matching(re.compile(r"[A-Za-z0-9._-]{1,255}"), "1 to 255 letters, digits, dots, - or _")
_instance_id = _matching(re.compile(r"i-[0-9a-f]{8,17}"), "an instance ID, such as i-0123456789abcdef0")


def _setting(default: Any, values: Values, meaning: str, *, unit: str = "", unset: str = "") -> Any:  # noqa: ANN401  the field's own type
    """Return a setting's field; `unset` is what the documentation says where there is no default."""
    return field(default=default, metadata={"values": values, "meaning": meaning, "unit": unit, "unset": unset})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of all programs. None: the program decides."""

    request_queue: str = _setting("requestQueue", _queue_name, "where numbers wait for a worker")
    response_queue: str = _setting(
        "responseQueue",
        _queue_name,
        "where their responses wait; a batch's own response queue has this name, a dash and an id",
    )
    image_inbox: str = _setting("imageInbox", _queue_name, "where images' names wait for a worker")
    image_outbox: str = _setting("imageOutbox", _queue_name, "where the results' names wait")
    bucket: str | None = _setting(
        None, _bucket_name, "the bucket for images and long lists", unset="`lab3-<account id>-<region>`"
    )
    name: str | None = _setting(
        None,
        _client_name,
        "who you are, for a class on one set-up: requests carry it, and your images have a folder of that name in the "
        "bucket. A label, which keeps nobody out",
        unset="your images share one folder with those of all others without a name",
    )
    plain: bool = _setting(
        False,  # noqa: FBT003  a default
        _switch,
        "1: plain output for screen readers: no spinner, no bars, no boxes, one fact per line",
    )
    preview: str = _setting(
        "auto",
        _matching(re.compile("auto|kitty|iterm2|sixel|blocks|none"), "auto, kitty, iterm2, sixel, blocks or none"),
        "how images are shown; auto: as the terminal says. Not under NO_COLOR or COURIER_PLAIN, on dumb terminals, or "
        "in pipes",
    )
    timeout_seconds: float = _setting(
        60.0, _number(float, 0.1, 3600), "how long a client waits for a response", unit="s"
    )
    poll_seconds: int = _setting(
        20,
        _number(int, 1, 20),
        "how long an idle worker's poll may last; by default 9 s, 3 s for each delivery but two",
        unit="s",
    )
    visibility_seconds: int = _setting(
        10,
        _number(int, 1, 43_200),
        "how long a request stays hidden from other workers after its worker has died; a working one renews it",
        unit="s",
    )
    concurrency: int | None = _setting(
        None,
        _number(int, 1, 64),
        "how many requests a worker works on at once",
        unset="4 (numbers), one per core, as far as memory goes (images)",
    )
    processes: int = _setting(
        1,
        _number(int, 1, 64),
        "how many processes a numbers worker has, each with its own threads; an instance that `aws_setup.sh` made has "
        "one per core",
    )
    grace_seconds: float = _setting(
        30.0, _number(float, 0, 3600), "how long a stopping worker may take to finish", unit="s"
    )
    max_deliveries: int = _setting(
        5,
        _number(int, 2, 1000),
        "the delivery at which a request is rejected and becomes a dead letter; it is tried at each before",
    )
    #: Less than the 12 hours that SQS keeps a message in flight.
    time_limit_seconds: float = _setting(
        120.0, _number(float, 0.1, 40_000), "how long the work on one request may take", unit="s"
    )
    list_part_megabytes: float = _setting(
        16.0,
        _number(float, 0.001, 5000),
        "a longer stored list is split into parts of this size, one request each",
        unit="MB",
    )
    image_max_megabytes: float = _setting(50.0, _number(float, 0.001, 5000), "the largest image file", unit="MB")
    image_max_megapixels: float = _setting(
        50.0, _number(float, 0.001, 1000), "the most pixels, before and after", unit="million"
    )
    image_max_frames: int = _setting(
        300, _number(int, 1, 100_000), "the most frames of an animation; its pixels count in each"
    )
    image_seconds: float = _setting(
        30.0,
        _number(float, 0.1, 3600),
        "how long the work on one image may take; transfers and waits for a processor do not count",
        unit="s",
    )
    image_memory_megabytes: int = _setting(
        1000,
        _number(int, 100, 1_000_000),
        "how much memory the work on one image may take; less where the machine has less",
        unit="MB",
    )
    status_seconds: float = _setting(
        0.0,
        _number(float, 0, 3600),
        "how often a worker reports its status to the bucket, for `watch`; 0: never (`run_local.sh` sets 1)",
        unit="s",
    )
    scaling_group: str | None = _setting(
        None, _scaling_group, "the Auto Scaling group whose instance a worker protects from scale-in while it works"
    )
    instance_id: str | None = _setting(None, _instance_id, "that instance; `aws_setup.sh` sets both")


#: The settings' fields by name.
FIELDS = {one.name: one for one in fields(Settings)}


def variable(name: str) -> str:
    """Return the environment variable that sets the field `name`."""
    return PREFIX + name.upper()


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in `environment`; an empty value counts as not set.

    Raises: WrongSetting, naming the variable, its value and the valid values.
    """
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    _reject_unknown(given)
    return Settings(**{name: _read(name, given[variable(name)]) for name in FIELDS if variable(name) in given})


def _reject_unknown(given: Mapping[str, str]) -> None:
    known = [variable(name) for name in FIELDS]
    for name in given:
        if name not in known:
            raise WrongSetting(
                f"{name} is not a setting of this program.", hint=f"Its settings are {', '.join(known)}."
            )


def _read(name: str, text: str) -> Any:  # noqa: ANN401  the field's own type
    try:
        return FIELDS[name].metadata["values"].read(text)
    except ValueError as error:
        message = f"{variable(name)} is {quoted(text)}, and must be {error}."
        raise WrongSetting(message, hint="Correct it, or unset it for the default.") from error
