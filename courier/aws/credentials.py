"""Read credentials again when the shared credentials file changes.

botocore reads ~/.aws/credentials once, so a long-running program would fail when temporary credentials that the
user pasted there (AWS Academy, SSO portals) expire. Here the file is checked before each signature. A call that
AWS rejects because of expired or unknown credentials is signed and sent again as soon as the file has new ones.

Applies to that file only. botocore refreshes roles, SSO and credential processes itself; environment variables
cannot change in a running program.
"""

from __future__ import annotations

import locale
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import ConfigParseError

from courier.aws.bucket_hooks import region_elsewhere
from courier.aws.credentials_file import FileCredentials, Problem, explain, read_credentials, read_text, section_names
from courier.errors import NoCredentials
from courier.redaction import remember

log = logging.getLogger(__name__)

#: The minimum interval between checks of the file, in seconds.
CHECK_SECONDS = 0.25
#: AWS error codes for expired or unknown credentials. New credentials may fix these.
INVALID_CREDENTIALS = frozenset(
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
#: The same from S3 for a HEAD request, whose response has no body.
INVALID_CREDENTIALS_IN_A_HEAD = "400"
SHARED_FILE = "shared-credentials-file"
#: An unusable file is reported only after it has not changed for this long, in seconds: it may be half-written.
STABLE_SECONDS = 1.0


class CredentialRefresh:
    """How long a rejected call waits for new credentials, and how the user is notified.

    `seconds`: the limit of that wait; None: no limit. Setting `stopped` ends every wait.
    `transient_seconds`: how long calls are retried after transient errors.
    `call_seconds`: the limit of one call; None: no limit.
    """

    def __init__(
        self,
        *,
        seconds: float | None,
        tell: Callable[[str], None],
        stopped: threading.Event | None = None,
        transient_seconds: float = 0.0,
        call_seconds: float | None = None,
    ) -> None:
        self.seconds = seconds
        self.transient_seconds = transient_seconds
        self.call_seconds = call_seconds
        self.stopped = stopped or threading.Event()
        self.tell = tell
        self._lock = threading.Lock()
        self._rejected: FileCredentials | None = None
        self._problems: set[str] = set()

    def tell_of_rejection(self, rejected: FileCredentials, sentence: str) -> None:
        """Notify the user that credentials were rejected, once for the same credentials."""
        with self._lock:
            if self._rejected != rejected:
                self._rejected = rejected
                self._problems.clear()
                self.tell(sentence)

    def tell_problem(self, sentence: str) -> None:
        """Notify the user why the file is unusable, once for each problem since the credentials were rejected."""
        with self._lock:
            if sentence not in self._problems:
                self._problems.add(sentence)
                self.tell(sentence)


class PastedCredentials(Credentials):
    """Credentials that follow the file. Thread-safe; a check costs one stat call."""

    def __init__(self, path: Path, profile: str, keys: FileCredentials) -> None:
        super().__init__(keys.access_key, keys.secret_key, keys.token, method=SHARED_FILE)
        self.path = path
        self.keys = keys
        self._profile = profile
        self._lock = threading.Lock()
        self._checked_at = 0.0
        self._seen: object = _fingerprint(path)
        self._unusable: tuple[object, Problem, float] | None = None
        self._signing = threading.local()
        remember(keys.secret_key, keys.token)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the credentials to sign with."""
        self.refresh()
        keys = self._signing.keys = self.keys
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)

    @property
    def have_changed(self) -> bool:
        """Whether the credentials differ from those that this thread last signed with."""
        self.refresh(at_once=True)
        return self.keys != getattr(self._signing, "keys", None)

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the file; None if it has credentials, or changed in the last `STABLE_SECONDS`."""
        with self._lock:
            if self._unusable is None or time.monotonic() - self._unusable[2] < STABLE_SECONDS:
                return None
            return self._unusable[1]

    def refresh(self, *, at_once: bool = False) -> None:
        """Read the file again if it has changed; `at_once` ignores the minimum interval between checks."""
        with self._lock:
            now = time.monotonic()
            if now - self._checked_at < CHECK_SECONDS and not at_once:
                return
            self._checked_at = now
            seen = _fingerprint(self.path)
            if seen == self._seen:
                self._unusable = None
            elif self._unusable is None or self._unusable[0] != seen:
                self._read(seen, now)

    def _read(self, seen: object, now: float) -> None:
        found = read_credentials(self.path, self._profile)
        if isinstance(found, Problem):
            self._unusable = (seen, found, now)
            return
        self._seen, self._unusable = seen, None
        if found != self.keys:
            self.keys = found
            self.access_key, self.secret_key, self.token = found.access_key, found.secret_key, found.token
            remember(found.secret_key, found.token)
            log.info("read new credentials from %s", self.path)


class _PastedFile(CredentialProvider):
    """A provider that replaces botocore's own for the shared credentials file."""

    METHOD = "pasted-credentials-file"
    CANONICAL_NAME = "PastedCredentials"

    def __init__(self, path: Path, profile: str) -> None:
        super().__init__()
        self._path = path
        self._profile = profile
        self.credentials: PastedCredentials | None = None

    def load(self) -> PastedCredentials | None:
        """Return the profile's credentials, or None if the file has none for it.

        Raises: NoCredentials if they cannot be used.
        """
        found = read_credentials(self._path, self._profile)
        if isinstance(found, FileCredentials):
            self.credentials = PastedCredentials(self._path, self._profile, found)
        elif found.is_certain:
            raise NoCredentials(found.message, hint=found.hint)
        return self.credentials


class LenientSession(botocore.session.Session):
    """A session that accepts two kinds of files that botocore does not.

    A credentials file with a block pasted twice, and files with a byte order mark.
    """

    @property
    def full_config(self) -> Any:  # noqa: ANN401  botocore's nested dict
        """The parsed configuration, without the credentials file if botocore cannot parse that.

        Raises: NoCredentials if the configuration file cannot be parsed.
        """
        try:
            return super().full_config
        except ConfigParseError:
            self._read_config_file()
            path = Path(self.get_config_variable("credentials_file")).expanduser()
            with self._replaced("credentials_file", os.devnull):
                config = super().full_config
            for profile in section_names(path):
                config["profiles"].setdefault(profile, {})
            return config

    def _read_config_file(self) -> None:
        """Have botocore parse the configuration file alone, converted to an encoding that it reads."""
        path = Path(self.get_config_variable("config_file")).expanduser()
        if problem := explain(path):
            raise NoCredentials(problem.message, hint=problem.hint)
        text = read_text(path)
        with tempfile.NamedTemporaryFile("w", encoding=locale.getpreferredencoding(do_setlocale=False)) as plain:
            plain.write(text if isinstance(text, str) else "")
            plain.flush()
            with self._replaced("config_file", plain.name), self._replaced("credentials_file", os.devnull):
                _ = super().full_config

    @contextmanager
    def _replaced(self, name: str, value: str) -> Iterator[None]:
        before = self.get_config_variable(name)
        self.set_config_variable(name, value)
        try:
            yield
        finally:
            self.set_config_variable(name, before)


def make_session(refresh: CredentialRefresh) -> botocore.session.Session:
    """Return a session whose credentials follow the shared credentials file, if they come from it.

    Warns if environment variables override other credentials in the file.
    """
    session = LenientSession()
    path = Path(session.get_config_variable("credentials_file")).expanduser()
    profile = session.get_config_variable("profile") or "default"
    provider = _PastedFile(path, profile)
    session.get_component("credential_provider").insert_before(SHARED_FILE, provider)
    session.register("needs-retry", _Resigner(provider, refresh).consider)  # type: ignore[arg-type]  # it may answer
    found, shadow = read_credentials(path, profile), os.environ.get("AWS_ACCESS_KEY_ID")
    if isinstance(found, FileCredentials) and shadow and shadow != found.access_key:
        refresh.tell(
            f"AWS_ACCESS_KEY_ID in the environment overrides the credentials in {path}; unset it to use these."
        )
    return session


class _Resigner:
    """Decides for each rejected call: send it again with new credentials, wait for them, or give up."""

    def __init__(self, provider: _PastedFile, refresh: CredentialRefresh) -> None:
        self._provider = provider
        self._refresh = refresh

    def consider(self, response: Any, request_dict: dict[str, Any], **_: object) -> float | None:  # noqa: ANN401
        """Return 0 to sign and send the call again, else None (botocore event `needs-retry`)."""
        credentials = self._provider.credentials
        if credentials is None or response is None or not _is_invalid_credentials(response[1], request_dict):
            return None
        return 0.0 if credentials.have_changed or self._wait(credentials) else None

    def _wait(self, credentials: PastedCredentials) -> bool:
        """Wait until the file has other credentials; return whether it has."""
        self._refresh.tell_of_rejection(
            credentials.keys,
            f"AWS rejects the credentials in {credentials.path}: they have expired or are unknown. "
            "Paste new ones there; the work then continues by itself.",
        )
        started = time.monotonic()
        while self._refresh.seconds is None or time.monotonic() - started < self._refresh.seconds:
            if self._refresh.stopped.wait(CHECK_SECONDS):
                return False
            if credentials.have_changed:
                return True
            if problem := credentials.problem:
                self._refresh.tell_problem(f"{problem.sentence} Still waiting for new credentials.")
        return False


def _is_invalid_credentials(parsed: dict[str, Any], request: dict[str, Any]) -> bool:
    code = str(parsed.get("Error", {}).get("Code", "")).rpartition("#")[2]
    if code != INVALID_CREDENTIALS_IN_A_HEAD or request["method"] != "HEAD":
        return code in INVALID_CREDENTIALS
    return not region_elsewhere(parsed, request.get("context", {}))


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
