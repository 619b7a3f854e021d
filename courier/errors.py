"""The exception tree. Messages are written for users.

CourierError
├── Rejected                    1  the input cannot be processed
│   ├── NotANumberList             the text is not a list of numbers
│   ├── NotAnImage                 the file or object is not an image, or not a supported one
│   ├── MessageTooLong             too large for a message
│   ├── ObjectMissing              no such object in the bucket
│   ├── ObjectReplaced             the object was replaced after the request
│   └── MalformedMessage           a message has invalid attributes
├── WrongUsage                  2  the command or a setting is wrong
│   ├── FolderClosed               a folder is not writable
│   └── WrongSetting               an environment variable has an invalid value
├── ResponseTimeout             3  no response in time
├── RequestCanceled           130  the client stopped waiting
└── ServiceError                4  an external service failed
    ├── NoRoom                     no disk space for temporary files
    ├── IsolatedServiceError       a transient error in an isolated handler
    └── AwsError                   a call to AWS failed
        ├── Unreachable            no connection to the endpoint
        ├── NoCredentials          no credentials, no region, or an invalid configuration
        │   └── CredentialsUnavailable  the source of the credentials does not respond
        ├── CredentialsRejected    the credentials are expired or unknown
        ├── AccessDenied           the credentials have no permission for the call
        ├── Throttled              AWS throttles calls or has an internal error
        ├── ReceiptHandleInvalid   the message is no longer in flight
        ├── QueueMissing           no such queue
        ├── BucketMissing          no such bucket
        ├── PurgeInProgress        a queue can be purged once a minute
        └── Undelivered            an entry of a batch was rejected

The first line of each class's docstring is its default message. `exit_status` is the exit status of a command.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

#: The exit status after a signal is this plus the signal's number, as shells report it; after Ctrl-C, the second.
SIGNAL_STATUS = 128
INTERRUPTED = 130


class Reason(StrEnum):
    """Why a request is rejected, for programs; the message has the limit and the value."""

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
    FAILED = "failed"
    DEAD = "dead"


#: What logs and metrics call a rejection without such a reason.
WITHOUT_REASON = "invalid"


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
        if hint:
            self.add_note(hint)  # shown below a traceback
        #: Lines that show the position, for fixed-width output; may be empty.
        self.drawing = ""

    @property
    def sentence(self) -> str:
        """The message and the hint, in one line."""
        return f"{self.message} {self.hint}".strip()


class Rejected(CourierError):
    """This input cannot be processed.

    A handler raises it to reject a request, and the client's `request` raises it in turn, with the same message, hint
    and reason. `reason` is for programs.

    >>> Rejected("Nothing to upper-case.", hint="Send some text.", reason="empty").reason
    'empty'
    """

    def __init__(self, message: str | None = None, *, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint=hint)
        #: A code for programs beside the message: the handler's own, or one of `Reason`. May be empty.
        self.reason = reason


class NotANumberList(Rejected):
    """This is not a list of numbers."""


class NotAnImage(Rejected):
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
    """An external service failed.

    A handler raises a subclass with `is_transient = True` to have its request retried.
    """

    exit_status = 4
    #: Whether the same call may succeed later.
    is_transient: ClassVar[bool] = False
    #: Whether it concerns all requests, as an outage of AWS does: then a worker waits, instead of going on with others.
    is_general: ClassVar[bool] = False
    #: The message when the error is over.
    recovery: ClassVar[str] = "It works again"


class NoRoom(ServiceError):
    """There is no space for temporary files."""

    is_transient = True
    is_general = True
    recovery = "There is space again"


class IsolatedServiceError(ServiceError):
    """A service that an isolated handler calls failed."""

    is_transient = True


class AwsError(ServiceError):
    """A call of AWS failed."""

    is_general = True
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
