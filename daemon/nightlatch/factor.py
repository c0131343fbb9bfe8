"""The contract of a factor: a kind of second proof, such as codes from an authenticator app.

A plugin imports this module and nothing else of nightlatch. It declares its factors from the hook
`nightlatch_factors` (see `hookimpl`), each as a `FactorPlugin`.

A factor is pure: it gets plain values and returns plain values. It stores nothing, reads no clock
and draws no randomness but through `Context`. The daemon keeps a credential's state, seals it, and
writes the new state in the transaction that records the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from nightlatch.channel import Medium, Message, NotSent
from nightlatch.plugin import Settings, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Challenge",
    "Context",
    "Decision",
    "Enrollment",
    "EnrollmentRequest",
    "Factor",
    "FactorPlugin",
    "ImportedCodes",
    "ImportedSecret",
    "Medium",
    "Message",
    "NotSent",
    "Reach",
    "SendingContext",
    "Settings",
    "Subject",
    "Verdict",
    "hookimpl",
]


class Context(Protocol):
    """What a factor may know of the world. Times are Unix seconds."""

    @property
    def now(self) -> float:
        """The time of this call."""

    @property
    def deadline(self) -> float:
        """When the daemon stops waiting; what comes later counts as unavailable."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes from the system's cryptographic source."""


class SendingContext(Context, Protocol):
    """What a factor may use when it asks."""

    @property
    def memo(self) -> bytes:
        """The memo of this credential's challenge before, in the same login; empty at the first."""

    @property
    def service(self) -> str:
        """What is being signed in to, for the words of a message ("sshd")."""

    @property
    def dialogue(self) -> bool:
        """Whether an answer can ask for another message: not where an application checks codes."""

    async def send(self, channels: tuple[str, ...], address: str, message: Message) -> None:
        """Send by the first of `channels` (names of the configuration) that can; raises NotSent.

        The daemon charges the sending limits first; above them, NotSent says so and nothing is sent.
        """


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a credential belongs to, for the words that people see."""

    name: str
    """The account's name in its directory."""
    directory: str
    """The directory's name in the configuration."""


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """What the person chose for a new credential."""

    label: str
    """The person's own name for it; the factor's title when they gave none."""
    address: str = field(default="", repr=False)
    """Where codes shall go, for a factor that sends them: as typed, or from the directory."""
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """What the caller sent with the login that this enrolment follows, for a silent factor."""
    expires_at: float | None = None
    """When policy lets the credential end; None for never."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A credential that is not confirmed yet, and what to show once."""

    state: bytes = field(repr=False)
    """The credential's state, at most 4096 bytes; sealed by the daemon, given back to `Factor.verify`."""
    qr_payload: str = field(default="", repr=False)
    """Text for a QR code, empty for none."""
    details: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The same for typing by hand: (name, value), in order."""
    label: str = ""
    """How people tell this credential from others when they gave it no name ("•••• 42")."""
    token: str = field(default="", repr=False)
    """A secret that the caller keeps as evidence for later logins; empty for none."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked of the person."""

    prompt: str | None
    """Words without an end ("Code from your authenticator app"); None for a silent factor."""
    echo: bool = True
    """Whether what is typed may be seen."""
    memo: bytes = field(default=b"", repr=False)
    """What `Factor.verify` needs of this challenge, at most 1024 bytes; sealed in the login's ticket."""
    labelled: bool = True
    """Whether the credential's name is put behind the words."""
    state: bytes | None = field(default=None, repr=False)
    """The credential's new state, stored before the person is asked; None when it did not change."""


class Decision(Enum):
    """A factor's answer. Anything that is not exactly one of these is a denial."""

    ACCEPT = "accept"
    REJECT = "reject"
    PENDING = "pending"
    """Not decided yet: ask me again in a moment."""
    AGAIN = "again"
    """This was a wish, not a proof ("r" for another message): challenge again, count nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one proof."""

    decision: Decision
    state: bytes | None = field(default=None, repr=False)
    """The credential's new state, stored with the decision; None when it did not change."""
    reason: str = ""
    """For the audit, without secrets: "wrong code", "code used before"."""
    notice: str = ""
    """Words for the person, shown with a grant ("2 recovery codes are left.")."""
    token: str = field(default="", repr=False)
    """With ACCEPT: a secret that replaces the caller's evidence; empty for none."""
    revoke: bool = False
    """Take the credential away: it was used in a way that only a thief would. The person is told."""
    uses_left: int | None = None
    """With ACCEPT: how often the credential can still be used, for the notice; None where nothing counts."""
    facts: str = ""
    """For the audit, and for programs that read it: whole numbers with names, such as "offset=-1" for a code
    of the time step before. At most 64 characters, without secrets; what looks otherwise is left out."""


class Factor(Protocol):
    """One kind of second proof. Three methods, and no fourth."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        """Make a new credential. It counts only after `challenge` and `verify` accepted an answer.

        Raises ValueError, with words for the person, for a request that can not be met.
        """

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        """Ask. May take until `context.deadline`; raises NotSent when a message could not leave."""

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Decide. Pure, and quick: it runs while the store's transaction waits, unless the plugin is `slow`.

        For a silent factor `answer` is one piece of the caller's evidence.
        """


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the owner of a credential can be told things."""

    channels: tuple[str, ...]
    """Empty for those that `FactorPlugin.channels` names: a credential outlives their names."""
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportedSecret:
    """A secret of another system that an app computes time-based codes from (RFC 6238)."""

    secret: bytes = field(repr=False)
    algorithm: str
    """The hash: "SHA1", "SHA256", "SHA512", or whatever else the other system says."""
    digits: int
    period: int
    """Seconds of one time step."""


@dataclass(frozen=True, slots=True)
class ImportedCodes:
    """Codes from another system, each good for one login, as people have them."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactorPlugin:
    """A factor as a plugin declares it."""

    name: str
    """The factor's name in configuration and audit: lower case letters, digits, underscores."""
    title: str
    """The factor's name for people ("Authenticator app")."""
    settings: type[Settings]
    """The model of its table in the configuration."""
    build: Callable[[Settings], Factor]
    """Makes the factor from its checked settings; called once, at start."""
    choice: str = '{title} "{label}"'
    """How a credential stands in the list of ways to confirm."""
    channels: Callable[[Settings], tuple[str, ...]] = lambda _settings: ()
    """The channels that its settings name; the daemon checks that each is configured."""
    medium: Medium | None = None
    """What kind of address enrolling it needs; None for none."""
    reach: Callable[[bytes], Reach] | None = None
    """Where the owner of a credential, by its state, can be told of changes; None for nowhere."""
    uses_left: Callable[[bytes], int] | None = None
    """How often a credential, by its state, can still be used, for its owner; None where nothing counts."""
    import_secret: Callable[[ImportedSecret, tuple[bytes, ...], Context], bytes | None] | None = None
    """Makes a credential's state of a secret from another system. Gets the states of the account's present
    credentials of this factor, too: None says that one of them holds the same. Raises ValueError, with words
    for the administrator, for what it can not take. What was shown elsewhere must not be accepted here."""
    import_codes: Callable[[ImportedCodes, tuple[bytes, ...], Context], bytes | None] | None = None
    """The same, for single-use codes."""
    restored: Callable[[bytes, Context], bytes | None] = lambda _state, _context: None
    """The state that a credential of an older copy of the store has from now on, once that copy was put back;
    None where it has to end. Whatever was accepted, used up or revoked since the copy was made must not count
    again, and all that is known of it is that it was before `Context.now`. Left out, credentials end: what
    nobody vouches for is not kept, and a person who has lost a factor can be given another."""
    confirmed: bool = True
    """Whether a new credential waits for a confirming answer."""
    single: bool = False
    """Whether a new credential takes the place of the account's older one."""
    silent: bool = False
    """Whether it answers from the caller's evidence, without a prompt, and is never chosen by the person."""
    offer: str = ""
    """For a silent factor: what is asked after a login that another factor granted, such as
    "Trust this device{device} for {time}? [y/N] ", where time is "30 days"; empty for nothing."""
    device: Callable[[tuple[str, ...]], str] = lambda _evidence: ""
    """The words for `{device}` in `offer`, from the caller's evidence (" (key SHA256:q3Vd…8Zs)")."""
    told: str = ""
    """The notice that a grant by it sends, by its template ("notice_recovery_used"); empty for none."""
    slow: bool = False
    """Whether `verify` takes longer than nobody would notice (a password hash). Then it runs before the
    decision, on a thread of its own, and its verdict counts if the state is still the same. Not for a
    silent factor, which is asked for every piece of evidence."""
    last_resort: bool = False
    """Whether it is for people who have nothing else at hand: listed last, sent only after a yes, told
    everywhere, and no reason to leave things as they are."""
    weak: bool = False
    """Whether its proof travels where others can read it or turn it round, as codes by SMS and by email do
    (NIST SP 800-63B-4, 3.1.3.3: restricted authenticators). Reports tell who has nothing better."""
