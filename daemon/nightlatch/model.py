"""The frozen values that the core passes around. Times are Unix seconds unless a name says otherwise."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import Enum


class Secret:
    """Text that no log, error or repr may show: a password or an answer."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; call it where it is used, and keep it nowhere."""
        return self._text

    def __repr__(self) -> str:
        """Say nothing about the content."""
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a secret is no key

    def __reduce__(self) -> str:
        """Refuse to be pickled."""
        message = "a secret is not written anywhere"
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class Contact:
    """What a directory says of how a person can be reached. Nothing in it is proven."""

    phones: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    language: str = ""
    """The language that the person reads (a BCP 47 tag, "zh-Hans"); empty where nobody has said."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person in one directory."""

    directory: str
    stable_id: str
    """entryUUID, objectGUID, or the name for PAM. Never the name as typed."""
    name: str
    """The person's own name as the directory, or its `name_form`, spells it: the same, whatever was typed."""
    handle: str = field(default="", compare=False, repr=False)
    """What the directory needs to find the person again (a DN); not part of the identity."""
    contact: Contact = field(default=Contact(), compare=False, repr=False)
    """Addresses and language, as the directory has them now; not part of the identity."""
    other_names: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """By what else the directory finds the person. Whoever types one of them is still called `name`."""

    @property
    def id(self) -> str:
        """The key of all that belongs to this account: ``directory:stable_id``."""
        return f"{self.directory}:{self.stable_id}"

    def is_called(self, typed: str) -> bool:
        """Whether a name that found this account is the own one: ASCII letters may differ in case.

        What else is the same is for each server to say, so it is another name here.
        """
        ascii_only = typed.isascii() and self.name.isascii()
        return typed == self.name or (ascii_only and typed.lower() == self.name.lower())


@dataclass(frozen=True, slots=True)
class Group:
    """A group that a person is in."""

    id: str
    """The directory's own name for it: a DN as the server spells it, the name for local groups."""
    name: str
    """Its short name (cn, sAMAccountName)."""
    via: tuple[str, ...] = ()
    """The names of the groups in between, from the person outwards; empty for a direct member."""


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups of one person, nested ones included. Never a part of them: that is Unavailable."""

    groups: tuple[Group, ...]
    read_at: float
    """When the directory was asked."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its groups, from reading a whole directory."""

    account: Account
    groups: tuple[Group, ...]
    enabled: bool = True
    """Whether the directory would let the person sign in at all."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One account's enrolled factor. `state` is the factor's own, in the clear."""

    account_id: str
    id: str
    factor: str
    label: str
    state: bytes = field(repr=False)
    created_at: float
    last_used_at: float | None = None
    expires_at: float | None = None
    """When it ends by itself; None for never. What has expired counts nowhere."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of an account beside its credentials and limits."""

    grace_started_at: float | None = None
    """When the account was first let in without the credential that policy wants."""
    grace_logins: int = 0
    """How often it was let in so."""
    invite: str = field(default="", repr=False)
    """A keyed hash of the one invite that is open, in hexadecimal; empty for none."""
    invite_expires_at: float = 0.0
    disabled_at: float | None = None
    """Since when an administrator keeps the account out; None for not."""
    sessions: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    """The account's open sessions: a hash of each one's id, and when it ends."""
    reset: str = field(default="", repr=False)
    """A keyed hash of the code that may set a forgotten password anew, in hexadecimal; empty for none."""
    reset_expires_at: float = 0.0
    holds: tuple[tuple[str, float], ...] = ()
    """Credentials that sign in and change nothing yet: each one's id, and until when (`login/hold.py`)."""
    rescued_at: float = 0.0
    """When printed codes or a last resort that are gone by now were last used; 0 for never."""


@dataclass(frozen=True, slots=True)
class LimitState:
    """What the limiter remembers of one scope. See `nightlatch.limits` for its arithmetic."""

    failures: tuple[float, ...] = ()
    """When each remembered failure was, oldest first."""
    in_a_row: int = 0
    """Failures since the last success."""
    blocked_until: float = 0.0
    """Nothing is checked before this time."""
    disabled: bool = False
    """Only an administrator or recovery helps."""
    barred: bool = False
    """An administrator has disabled the account; `Standing.disabled_at` says since when."""


class Result(Enum):
    """How a decision went, as the audit records it."""

    GRANTED = "granted"
    PASSED = "passed"
    """One step of a login was right; the login goes on."""
    REFUSED = "refused"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One row of the audit: bounded, without secrets, and without a name that no directory knows."""

    event: str
    """What happened: "login.password", "login.factor", "credential.add", "account.unlock"."""
    result: Result
    reason: str
    reference: str
    """The login's reference, "7f3a-22c1"."""
    account_id: str = ""
    user: str = ""
    service: str = ""
    source: str = ""
    factor: str = ""
    credential_id: str = ""
    caller: str = ""
    """The listener and the identity behind the call: "pam uid=0"."""
    facts: str = ""
    """The same for programs: "offset=-1", "failures=2 free=4", "until=1700000030"."""
    language: str = field(default="", compare=False)
    """The language of the account, for messages that tell of the event; not written."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An event as the store keeps it, with its place in its writer's chain."""

    id: int
    at: float
    event: AuditEvent
    writer: str = ""
    """Which daemon's session with the store has written it; empty for rows from before the chain."""
    sequence: int = 0
    """Its number there, counted from 1."""
    chain: bytes = b""
    """Its link: see `nightlatch.audit.chain`."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which rows are asked for. What is left out asks for all."""

    accounts: tuple[str, ...] | None = None
    """Account ids."""
    event: str = ""
    """An event's name; with a full stop at its end, all whose names begin so."""
    results: tuple[Result, ...] = ()
    since: float | None = None
    until: float | None = None
    """Before this time."""
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class AuditWriter:
    """What is kept of one writer's chain: its signed heads, as lines; empty for none."""

    writer: str
    opened: str = ""
    head: str = ""
    pruned: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a decision may look at: the state under the store's lock, and the time."""

    now: float
    limits: dict[str, LimitState]
    """Every scope that was asked for, fresh ones included."""
    credentials: tuple[Credential, ...]
    """The account's credentials, oldest first; empty where no account was named."""
    spent: bool
    """Whether the request's one-time key was spent before."""
    spent_value: str = field(default="", repr=False)
    """What was remembered with it then."""
    standing: Standing = Standing()
    """The account's standing; a fresh one unless the request asked for it."""
    mark: str = ""
    """The text that is kept under the request's mark; empty for none."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a decision wants written, all of it or nothing."""

    limits: dict[str, LimitState] = field(default_factory=dict)
    """New states by scope. Only scopes that were asked for."""
    put: tuple[Credential, ...] = ()
    """Credentials to add, or to replace by id."""
    removed: tuple[str, ...] = ()
    """Ids of credentials to remove."""
    spend: bool = False
    """Whether to spend the request's one-time key. Spending it a second time is Refused, with all else."""
    spent_value: str = field(default="", repr=False)
    """What to remember with the key, at most 1024 characters; no secret."""
    standing: Standing | None = None
    """The account's new standing; only where it was asked for. None leaves it."""
    mark: str | None = None
    """The new text under the request's mark. None leaves it."""
    events: tuple[AuditEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """What a decision locks and reads."""

    scopes: tuple[str, ...] = ()
    """Limiter scopes, such as ``factor/corp:4f0c…``."""
    account_id: str = ""
    """Whose credentials to read; empty for none."""
    account: Account | None = None
    """Remembered (name, directory) beside the account's rows; None leaves what is there."""
    spend_key: str = ""
    """A one-time key (a login's id); empty for none."""
    standing: bool = False
    """Whether to lock and read the standing of `account_id` too."""
    mark: str = ""
    """A text of the whole installation, by its name, to lock and read; empty for none."""
