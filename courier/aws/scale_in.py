"""Scale-in protection: an Auto Scaling group does not terminate an instance while its workers work.

The workers of an instance share a lock file: a busy worker holds it shared; only a worker that gets it exclusively
removes the protection.
Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from courier.aws.errors import call_aws
from courier.aws.session import Aws
from courier.errors import AwsError
from courier.files import state_folder

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

log = logging.getLogger(__name__)

#: The interval between checks for work.
CHECK_SECONDS = 0.5
#: The instance counts as idle after this long without work.
IDLE_SECONDS = 10.0
#: The wait after a failed call.
RETRY_SECONDS = 30.0


def lock_folder() -> Path:
    """Return the folder of lock files: one that all workers of this user share, and that is not cleaned, as /tmp is.

    That is the one that systemd makes for services, else the user's for the state of programs.
    """
    try:
        folder = Path(os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or state_folder() / "courier")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # a user may have no home
        log.warning("there is no folder for locks but %s: %s", tempfile.gettempdir(), error)
        return Path(tempfile.gettempdir())
    return folder


class ScaleInProtection:
    """Scale-in protection of an instance, on behalf of one of its workers."""

    def __init__(self, aws: Aws, *, group: str, instance_id: str, is_busy: Callable[[], bool]) -> None:
        self._aws = aws
        self._group = group
        self._instance_id = instance_id
        self._is_busy = is_busy
        self._file = os.open(lock_folder() / f"courier-{group}.busy", os.O_RDWR | os.O_CREAT, 0o600)
        self._lock = threading.Lock()
        self._is_held = False
        #: Whether an earlier worker may have left the instance protected.
        self._is_unsure = True
        self._busy_at = 0.0
        self._not_before = 0.0

    def run(self, stopped: threading.Event) -> None:
        """Protect the instance while there is work, until `stopped`."""
        self._busy_at = time.monotonic()
        while not stopped.wait(CHECK_SECONDS):
            now = time.monotonic()
            if self._is_busy():
                self._busy_at = now
                self._protect(now)
            elif now - self._busy_at >= IDLE_SECONDS:
                self.unprotect()

    def unprotect(self) -> None:
        """Remove the protection, unless the other worker is busy. Does nothing if the instance is not protected."""
        with self._lock:
            if not (self._is_held or self._is_unsure):
                return
            self._is_unsure = False
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._is_held = False
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            try:
                self._set(is_protected=False)
            except AwsError as error:
                log.warning("the scale-in protection could not be removed: %s", error.sentence)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _protect(self, now: float) -> None:
        with self._lock:
            if self._is_held or now < self._not_before:
                return
            fcntl.flock(self._file, fcntl.LOCK_SH)
            try:
                self._set(is_protected=True)
            except AwsError as error:
                fcntl.flock(self._file, fcntl.LOCK_UN)
                self._not_before = now + RETRY_SECONDS
                log.warning("this instance is not protected from scale-in while it works: %s", error.sentence)
            else:
                self._is_held = True

    def _set(self, *, is_protected: bool) -> None:
        call_aws(
            f"protect {self._instance_id} from scale-in" if is_protected else "end the scale-in protection",
            self._aws.autoscaling().set_instance_protection,
            InstanceIds=[self._instance_id],
            AutoScalingGroupName=self._group,
            ProtectedFromScaleIn=is_protected,
        )


def protection(aws: Aws, group: str, instance_id: str, is_busy: Callable[[], bool]) -> ScaleInProtection | None:
    """Return the protection of an instance of a group; None where there is no group."""
    known = group and instance_id
    return ScaleInProtection(aws, group=group, instance_id=instance_id, is_busy=is_busy) if known else None
