"""Check AWS environment variables before botocore uses them.

botocore does not: a carriage return at the end of a key becomes an invalid HTTP header, at the end of a region an
unknown host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from courier.aws.credentials_file import explain, invalid_character
from courier.errors import NoCredentials
from courier.redaction import remember, scrub
from courier.text import quoted

_KEY_ID = "AWS_ACCESS_KEY_ID"
_KEYS = (_KEY_ID, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_ENDPOINT = "AWS_ENDPOINT_URL"
_ZONE = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-[0-9]+)[a-z]")
#: The variables for configuration files, and their defaults. These files are optional.
_FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Check AWS's environment variables. Raises: NoCredentials, naming the variable but not a secret value."""
    remember(*(environment.get(name) for name in _KEYS[1:]))
    endpoints = tuple(name for name in environment if name.startswith(_ENDPOINT))
    # Without an access key ID the other credentials variables are not used.
    keys = _KEYS if environment.get(_KEY_ID) else ()
    for name in (*keys, *_REGIONS, *endpoints):
        _check_characters(name, environment.get(name, ""))
    for name in _PROFILES:
        if what := _ends(environment.get(name, "")):
            raise _unusable(name, what)
    for name in _REGIONS:
        check_region(environment.get(name, ""), name)
    for name in endpoints:
        _check_endpoint(name, environment[name])


def check_region(region: str, name: str) -> None:
    """Check that a region is not an availability zone. Raises: NoCredentials."""
    if zone := _ZONE.fullmatch(region):
        message = f"{name} is {quoted(region)}, an availability zone: its region is {zone[1]}."
        raise NoCredentials(message, hint=f"Set {name} to {zone[1]}.")


def check_certificates(path: str | None, environment: Mapping[str, str] = os.environ) -> None:
    """Check that the certificate file exists, if connections use TLS. Raises: NoCredentials."""
    path = path or environment.get("REQUESTS_CA_BUNDLE")
    if path and not environment.get(_ENDPOINT, "").startswith("http://") and not Path(path).exists():
        message = f"The certificate file {quoted(path, 200)} does not exist."
        hint = "It is set by AWS_CA_BUNDLE, or by ca_bundle in the AWS configuration: correct or remove it."
        raise NoCredentials(message, hint=hint)


def file_problems(environment: Mapping[str, str] = os.environ) -> str:
    """Return why AWS's configuration files cannot be read, in sentences; empty if they can."""
    paths = [Path(environment.get(name) or default).expanduser() for name, default in _FILES.items()]
    return " ".join(problem.sentence.rstrip(".") + "." for path in paths if (problem := explain(path)))


def _check_characters(name: str, value: str) -> None:
    if what := invalid_character(value):
        raise _unusable(name, what)


def _ends(value: str) -> str:
    """Return what is wrong at either end of a profile name; inside, any character is valid."""
    what = invalid_character(value)
    return what if what.startswith(("ends", "begins", "stands")) else ""


def _unusable(name: str, what: str) -> NoCredentials:
    files = " A file with Windows line endings causes this." if "carriage return" in what else ""
    return NoCredentials(f"{name} {what}.", hint=f"Set it again without that character.{files}")


def _check_endpoint(name: str, value: str) -> None:
    if not value:
        return
    shown = quoted(scrub(value if "://" in value else f"http://{value}"), 80)
    if "://" not in value:
        shown = shown.replace("http://", "", 1)
        raise NoCredentials(f"{name} is {shown}: http:// is missing.", hint=f"Set it to http://{shown[1:-1]}")
    try:
        url = urlsplit(value)
        is_right = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        hint = "Set it to something like http://127.0.0.1:4566, or unset it to use AWS itself."
        raise NoCredentials(f"{name} is {shown}: that is not an http:// or https:// address.", hint=hint)
