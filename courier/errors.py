"""The exception tree. Messages are written for users.

CourierError
├── Rejected                    1  what was given cannot be worked on
│   ├── NotANumberList             a text that is not a list of numbers
│   ├── NotAPicture                a file or object that is not a picture this program works on
│   ├── MessageTooLong             more than one message can carry
│   ├── ObjectMissing              no such object in the bucket
│   ├── ObjectReplaced             another object of this name than the one that was meant
│   └── MalformedMessage           a message whose attributes cannot be read
├── WrongUsage                  2  the command or a setting is wrong
│   ├── FolderClosed               nothing can be saved in a folder
│   └── WrongSetting               an environment variable has a value that cannot be used
├── ResponseTimeout             3  no worker answered in time
├── RequestCanceled           130  nobody waits for the response any more
└── ServiceError                4  the world outside is in the way
    ├── NoRoom                     no disk space for temporary files
    └── AwsError                   AWS is not reachable, refuses, or lacks what is needed
        ├── Unreachable            no connection to the endpoint
        ├── NoCredentials          no keys or no region found, or a configuration that cannot be used
        │   └── CredentialsUnavailable  what gives out keys does not answer
        ├── CredentialsRejected     keys that are expired or unknown
        ├── AccessDenied           keys that are valid and have no right to this call
        ├── Throttled              AWS asks to slow down or has an error of its own
        ├── ReceiptHandleInvalid   a message that is not in flight for us any more
        ├── QueueMissing           no such queue
        ├── BucketMissing          no such bucket
        ├── PurgeInProgress        a queue can be purged once a minute
        └── Undelivered            an entry of a batch that was rejected for good

The first line of each class's docstring is its default message. `exit_status` is what a command ends with.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

#: As a shell reports a program that Ctrl-C ended: 128 and the signal's number.
INTERRUPTED = 130


class Reason(StrEnum):
    """Why a picture is refused, for programs: a closed set, beside the sentence that gives limit and value."""

    EMPTY = "empty"
    UNSUPPORTED_FORMAT = "unsupported_format"
    CORRUPT = "corrupt"
    FILE_TOO_BIG = "file_too_big"
    TOO_LARGE = "too_large"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_MANY_SCANS = "too_many_scans"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    IMPOSSIBLE = "impossible"


class CourierError(Exception):
    """Something went wrong.

    The base of all errors of this library, with a message and a hint of what to do.

    >>> CourierError("The disk is full.", hint="Delete something.").sentence
    'The disk is full. Delete something.'
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str | None = None, *, hint: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().partition("\n")[0])
        self.message = str(self)
        self.hint = hint
        #: Lines that show the place, for whoever has a screen of fixed width; may be empty.
        self.drawing = ""

    @property
    def sentence(self) -> str:
        """The message and what to do about it, in one line."""
        return f"{self.message} {self.hint}".strip()


class Rejected(CourierError):
    """This input cannot be processed.

    A handler raises it to reject a request, and the client's `request` raises it in turn. `reason` is for programs.

    >>> Rejected("Nothing to upper-case.", hint="Send some text.", reason="empty").reason
    'empty'
    """

    def __init__(self, message: str | None = None, *, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint=hint)
        #: Why, in one word that travels beside the sentence: for a picture, one of `Reason`. May be empty.
        self.reason = reason


class NotANumberList(Rejected):
    """This is not a list of numbers."""


class NotAPicture(Rejected):
    """This is not an image that can be processed."""


class MessageTooLong(Rejected):
    """This is too large for one message."""


class ObjectMissing(Rejected):
    """There is no such object in the bucket."""


class ObjectReplaced(Rejected):
    """The object was replaced in the meantime."""


class MalformedMessage(Rejected):
    """The message's attributes cannot be read."""


class WrongUsage(CourierError):
    """The command is not valid."""

    exit_status = 2


class FolderClosed(WrongUsage):
    """Nothing can be saved in this folder."""


class WrongSetting(WrongUsage):
    """A setting has a value that cannot be used."""


class ResponseTimeout(CourierError):
    """No response came in time.

    >>> isinstance(ResponseTimeout(), CourierError)
    True
    """

    exit_status = 3


class RequestCanceled(CourierError):
    """Canceled before its response came."""

    exit_status = 130


class ServiceError(CourierError):
    """An external service failed."""

    exit_status = 4
    #: Whether the same call may succeed later, with nothing changed but the world outside.
    is_transient: ClassVar[bool] = False
    #: What is said when it is over.
    recovery: ClassVar[str] = "It works again"


class NoRoom(ServiceError):
    """There is no space for temporary files."""

    is_transient = True
    recovery = "There is space again"


class AwsError(ServiceError):
    """A call of AWS failed."""

    recovery = "AWS responds again"


class Unreachable(AwsError):
    """AWS cannot be reached."""

    is_transient = True


class NoCredentials(AwsError):
    """There are no AWS credentials."""


class CredentialsUnavailable(NoCredentials):
    """The source of the AWS credentials does not respond."""

    is_transient = True


class CredentialsRejected(AwsError):
    """AWS rejects these credentials."""

    is_transient = True


class AccessDenied(AwsError):
    """These credentials have no permission for this call."""


class Throttled(AwsError):
    """AWS has an internal error or throttles calls."""

    is_transient = True


class ReceiptHandleInvalid(AwsError):
    """The message is no longer in flight: its receipt handle is not valid."""


class QueueMissing(AwsError):
    """There is no such queue."""


class BucketMissing(AwsError):
    """There is no such bucket."""


class PurgeInProgress(AwsError):
    """The queue was purged less than a minute ago."""


class Undelivered(AwsError):
    """The queue rejected a message."""
