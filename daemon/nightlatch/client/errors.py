"""What a client raises. A verdict on a person is never an error, and no error is a verdict.

MUST 1: no message holds a code, a password, a ticket or a token.
"""

from __future__ import annotations


class ClientError(Exception):
    """The root of all that a client raises. Whoever catches only this one must deny."""


class Unavailable(ClientError):
    """Nobody could decide: no daemon answered in time, or what it needs is away. No word about the person.

    `retry_after` is in seconds, 0 where nobody said when.
    """

    def __init__(self, words: str, retry_after: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class TooMany(ClientError):
    """A limit on the application's calls or on messages; nothing was done. `retry_after` is in seconds."""

    def __init__(self, words: str, retry_after: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class Denied(ClientError):
    """The application has no right to the call. An administrator gives it, in its [[clients]] table."""


class NotFound(ClientError):
    """What was named does not exist; told only to applications that may know."""


class Expired(ClientError):
    """The ticket is too old, is for something else, or it or the request_id was used before: begin again."""


class InvalidRequest(ClientError):
    """A request that no daemon answers, such as a name that is too long."""


class BadCertificate(ClientError):
    """A certificate, the application's own or the daemon's, that can not work as it is."""


class InvalidReceipt(ClientError):
    """A receipt that proves nothing: forged, too old, or for somebody else."""
