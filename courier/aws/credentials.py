"""Credentials that are read again when the shared credentials file changes.

botocore reads ~/.aws/credentials once. Temporary keys that are pasted there by hand (AWS Academy, SSO
portals) die after hours, and a long-running program dies with them. Here the file is looked at before each
signature, and a call that AWS refuses because its keys are dead is signed and sent again as soon as newer
ones are there: at once if they are there already, else when they have been pasted.

Only keys from that file are treated so. Roles, SSO and credential processes refresh themselves in botocore;
environment variables cannot change in a running program.
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

from courier.aws.key_file import Keys, Problem, explain, read_keys, read_text, section_names
from courier.errors import NoCredentials
from courier.redaction import remember

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
#: A file that is pasted into is told to be unusable only if it stays as it is for so long, in seconds.
SETTLE_SECONDS = 1.0


class CredentialRefresh:
    """How long a call that was refused for dead keys waits for newer ones, and how the user learns of it.

    `seconds` is None where it may take as long as it takes; setting `stopped` ends every wait. For
    `transient_seconds`, a call that nobody else makes again outlasts a transient error; a call that AWS does not answer
    ends after `call_seconds`, where that is given.
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
        self._told: Keys | None = None
        self._problems: set[str] = set()

    def tell_once(self, dead: Keys, sentence: str) -> None:
        """Say `sentence`, unless it was said of these keys before."""
        with self._lock:
            if self._told != dead:
                self._told = dead
                self._problems.clear()
                self.tell(sentence)

    def tell_problem(self, sentence: str) -> None:
        """Say why what was pasted gives no keys, unless it was said since the keys died."""
        with self._lock:
            if sentence not in self._problems:
                self._problems.add(sentence)
                self.tell(sentence)


class PastedCredentials(Credentials):
    """Credentials that follow the file. Safe for any number of threads; a look costs a stat."""

    def __init__(self, path: Path, profile: str, keys: Keys) -> None:
        super().__init__(keys.access_key, keys.secret_key, keys.token, method=SHARED_FILE)
        self.path = path
        self.keys = keys
        self._profile = profile
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._seen: object = _fingerprint(path)
        self._unusable: tuple[object, Problem, float] | None = None
        self._signing = threading.local()
        remember(keys.secret_key, keys.token)

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

    @property
    def problem(self) -> Problem | None:
        """What is wrong with the file as it has been for a while; None if it has keys, or was just written."""
        with self._lock:
            if self._unusable is None or time.monotonic() - self._unusable[2] < SETTLE_SECONDS:
                return None
            return self._unusable[1]

    def look(self, *, at_once: bool = False) -> None:
        """Read the file again if it has changed since it was last read."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < LOOK_SECONDS and not at_once:
                return
            self._looked_at = now
            seen = _fingerprint(self.path)
            if seen == self._seen:
                self._unusable = None
            elif self._unusable is None or self._unusable[0] != seen:
                self._read(seen, now)

    def _read(self, seen: object, now: float) -> None:
        found = read_keys(self.path, self._profile)
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
    """The provider that takes the place of botocore's own for the shared credentials file."""

    METHOD = "pasted-credentials-file"
    CANONICAL_NAME = "PastedCredentials"

    def __init__(self, path: Path, profile: str) -> None:
        super().__init__()
        self._path = path
        self._profile = profile
        self.credentials: PastedCredentials | None = None

    def load(self) -> PastedCredentials | None:
        """Return the file's credentials, or None if it has none for the profile.

        Raises: NoCredentials if it has some that cannot be used.
        """
        found = read_keys(self._path, self._profile)
        if isinstance(found, Keys):
            self.credentials = PastedCredentials(self._path, self._profile, found)
        elif found.is_certain:
            raise NoCredentials(found.what, hint=found.cure)
        return self.credentials


class LenientSession(botocore.session.Session):
    """A session that starts with files that botocore cannot parse, where we can.

    That is a credentials file with a block pasted twice, and a byte order mark.
    """

    @property
    def full_config(self) -> Any:  # noqa: ANN401  botocore's nested dict
        """The parsed configuration; without the credentials file's part where that cannot be parsed.

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
        """Have botocore parse the configuration file alone, as text that it can read."""
        path = Path(self.get_config_variable("config_file")).expanduser()
        if problem := explain(path):
            raise NoCredentials(problem.what, hint=problem.cure)
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


def make_session(patience: CredentialRefresh) -> botocore.session.Session:
    """Return a session whose keys, where they come from the shared credentials file, follow that file.

    Warns through `patience` where environment variables hide other keys in the file.
    """
    session = LenientSession()
    path = Path(session.get_config_variable("credentials_file")).expanduser()
    profile = session.get_config_variable("profile") or "default"
    provider = _PastedFile(path, profile)
    session.get_component("credential_provider").insert_before(SHARED_FILE, provider)
    session.register("needs-retry", _Renewal(provider, patience).consider)  # type: ignore[arg-type]  # it may answer
    found, shadow = read_keys(path, profile), os.environ.get("AWS_ACCESS_KEY_ID")
    if isinstance(found, Keys) and shadow and shadow != found.access_key:
        patience.tell(
            f"AWS_ACCESS_KEY_ID in the environment overrides the credentials in {path}; unset it to use these."
        )
    return session


class _Renewal:
    """Decides about each refused call: send it again with newer keys, wait for these, or give up."""

    def __init__(self, provider: _PastedFile, patience: CredentialRefresh) -> None:
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
            f"AWS rejects the credentials in {credentials.path}: they have expired or are unknown. "
            "Paste new ones there; the work then continues by itself.",
        )
        started = time.monotonic()
        while self._patience.seconds is None or time.monotonic() - started < self._patience.seconds:
            if self._patience.stopped.wait(LOOK_SECONDS):
                return False
            if credentials.have_changed:
                return True
            if problem := credentials.problem:
                self._patience.tell_problem(f"{problem.sentence} Still waiting for new credentials.")
        return False


def _keys_are_dead(parsed: dict[str, Any], method: str) -> bool:
    code = str(parsed.get("Error", {}).get("Code", "")).rpartition("#")[2]
    return code in DEAD_KEYS or (method == "HEAD" and code == DEAD_KEYS_IN_A_HEAD)


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
