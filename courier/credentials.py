"""Pasted keys that expire stop nothing: the shared credentials file, read again when it changes.

botocore reads ~/.aws/credentials once. Temporary keys that are pasted there by hand (AWS Academy, SSO
portals) die after hours, and a long-running program dies with them. Here the file is looked at before each
signature, and a call that AWS refuses because its keys are dead is signed and sent again as soon as newer
ones are there: at once if they are there already, else when they have been pasted.

Only keys from that file are treated so. Roles, SSO and credential processes refresh themselves in botocore;
environment variables cannot change in a running program.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import ConfigParseError

log = logging.getLogger(__name__)

#: The file is looked at no more often than this, in seconds.
LOOK_SECONDS = 0.25
#: AWS's codes for keys that are dead or unknown, and so may be mended by newer ones. S3 answers the last
#: one to a HEAD, which has no body to say more.
DEAD_KEYS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
    }
)
DEAD_KEYS_IN_A_HEAD = "400"
SHARED_FILE = "shared-credentials-file"
_FIELDS = {
    "aws_access_key_id": "access_key",
    "aws_secret_access_key": "secret_key",
    "aws_session_token": "token",
    "aws_security_token": "token",
}


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What one block of the credentials file says."""

    access_key: str
    secret_key: str
    token: str | None = None


class Patience:
    """How long a call that was refused for dead keys waits for newer ones, and how the user learns of it.

    `seconds` is None where it may take as long as it takes; setting `stopped` ends every wait.
    """

    def __init__(
        self, *, seconds: float | None, tell: Callable[[str], None], stopped: threading.Event | None = None
    ) -> None:
        self.seconds = seconds
        self.stopped = stopped or threading.Event()
        self.tell = tell
        self._lock = threading.Lock()
        self._told: Keys | None = None

    def tell_once(self, dead: Keys, sentence: str) -> None:
        """Say `sentence`, unless it was said of these keys before."""
        with self._lock:
            if self._told != dead:
                self._told = dead
                self.tell(sentence)


def read_keys(path: Path, profile: str) -> Keys | None:
    """Return the keys of `profile` in the credentials file, or None if it has no whole set of them.

    A file that is pasted into may for a moment be half-written, or hold the same block twice: lines that
    make no sense are passed over, and of two blocks the later one counts.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    section = ""
    found: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1].strip().removeprefix("profile ").strip()
            if section == profile:
                found = {}
        elif section == profile and "=" in stripped and not stripped.startswith(("#", ";")):
            name, _, value = stripped.partition("=")
            field = _FIELDS.get(name.strip().lower())
            if field and value.strip():
                found[field] = value.strip()
    return Keys(**found) if {"access_key", "secret_key"} <= found.keys() else None


class PastedCredentials(Credentials):
    """Credentials that follow the file. Safe for any number of threads; a look costs a stat."""

    def __init__(self, path: Path, profile: str, keys: Keys) -> None:
        super().__init__(keys.access_key, keys.secret_key, keys.token, method=SHARED_FILE)
        self.path = path
        self.keys = keys
        self._profile = profile
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._seen = _fingerprint(path)
        self._signing = threading.local()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys to sign with now."""
        self.look()
        keys = self._signing.keys = self.keys
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)

    @property
    def have_changed(self) -> bool:
        """Whether there are other keys now than those that this thread signed with last."""
        self.look(at_once=True)
        return self.keys != getattr(self._signing, "keys", None)

    def look(self, *, at_once: bool = False) -> None:
        """Read the file again if it has changed since it was last read."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < LOOK_SECONDS and not at_once:
                return
            self._looked_at = now
            seen = _fingerprint(self.path)
            keys = read_keys(self.path, self._profile) if seen != self._seen else None
            if keys is None:
                return
            self._seen = seen
            if keys != self.keys:
                self.keys = keys
                self.access_key, self.secret_key, self.token = keys.access_key, keys.secret_key, keys.token
                log.info("read new keys from %s", self.path)


class _PastedFile(CredentialProvider):
    """The provider that takes the place of botocore's own for the shared credentials file."""

    METHOD = "pasted-credentials-file"
    CANONICAL_NAME = "PastedCredentials"

    def __init__(self, path: Path, profile: str) -> None:
        super().__init__()
        self._path = path
        self._profile = profile
        self.credentials: PastedCredentials | None = None

    def load(self) -> PastedCredentials | None:
        """Return the file's credentials, or None if it has none for the profile."""
        keys = read_keys(self._path, self._profile)
        if keys is not None:
            self.credentials = PastedCredentials(self._path, self._profile, keys)
        return self.credentials


class LenientSession(botocore.session.Session):
    """A session that a credentials file with a block pasted twice does not keep from starting."""

    @property
    def full_config(self) -> Any:  # noqa: ANN401  botocore's nested dict
        """The parsed configuration; without the credentials file's part where that cannot be parsed."""
        try:
            return super().full_config
        except ConfigParseError:
            path = self.get_config_variable("credentials_file")
            self.set_config_variable("credentials_file", os.devnull)
            config = super().full_config
            self.set_config_variable("credentials_file", path)
            for profile in _sections(Path(path).expanduser()):
                config["profiles"].setdefault(profile, {})
            return config


def make_session(patience: Patience) -> botocore.session.Session:
    """Return a session whose keys, where they come from the shared credentials file, follow that file.

    Warns through `patience` where environment variables hide other keys in the file.
    """
    session = LenientSession()
    path = Path(session.get_config_variable("credentials_file")).expanduser()
    profile = session.get_config_variable("profile") or "default"
    provider = _PastedFile(path, profile)
    session.get_component("credential_provider").insert_before(SHARED_FILE, provider)
    session.register("needs-retry", _Renewal(provider, patience).consider)  # type: ignore[arg-type]  # it may answer
    keys, shadow = read_keys(path, profile), os.environ.get("AWS_ACCESS_KEY_ID")
    if keys is not None and shadow and shadow != keys.access_key:
        patience.tell(f"AWS_ACCESS_KEY_ID in the environment hides the keys in {path}; unset it to use these.")
    return session


class _Renewal:
    """Decides about each refused call: send it again with newer keys, wait for these, or give up."""

    def __init__(self, provider: _PastedFile, patience: Patience) -> None:
        self._provider = provider
        self._patience = patience

    def consider(self, response: Any, request_dict: dict[str, Any], **_: object) -> float | None:  # noqa: ANN401
        """Return 0 to have the call signed and sent again (botocore event `needs-retry`), else None."""
        credentials = self._provider.credentials
        if credentials is None or response is None or not _keys_are_dead(response[1], request_dict["method"]):
            return None
        return 0.0 if credentials.have_changed or self._wait(credentials) else None

    def _wait(self, credentials: PastedCredentials) -> bool:
        """Wait until the file has other keys; return whether it has."""
        self._patience.tell_once(
            credentials.keys,
            f"AWS refuses the keys in {credentials.path}: they have expired or are unknown. "
            "Paste fresh ones there; the work then goes on by itself.",
        )
        started = time.monotonic()
        while self._patience.seconds is None or time.monotonic() - started < self._patience.seconds:
            if self._patience.stopped.wait(LOOK_SECONDS):
                return False
            if credentials.have_changed:
                return True
        return False


def _keys_are_dead(parsed: dict[str, Any], method: str) -> bool:
    code = str(parsed.get("Error", {}).get("Code", "")).rpartition("#")[2]
    return code in DEAD_KEYS or (method == "HEAD" and code == DEAD_KEYS_IN_A_HEAD)


def _sections(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip()[1:-1].strip() for line in lines if line.strip().startswith("[") and line.strip().endswith("]")]


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
