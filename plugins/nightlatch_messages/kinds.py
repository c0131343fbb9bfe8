"""What can be said, and which values each message takes: the one place that tells.

A notice needs nothing: a warning that leaves without a name is better than one that does not leave.

A value beyond these is not given to a template. Optional values may be missing or empty; a template must read
well without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

LONGEST_VALUE = 100
"""Characters of a value that a person reads; what is longer ends in three dots."""


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One kind of message, by the name that `Message.template` carries."""

    name: str
    needed: tuple[str, ...] = ()
    """The values without which it can not be said."""
    optional: tuple[str, ...] = ()
    """The values that it may mention; in a text message the last is left out first when there is no room."""

    @property
    def values(self) -> tuple[str, ...]:
        """All the values that a template of this kind may use."""
        return self.needed + self.optional


_CODE = ("code", "minutes")
_WHERE = ("service", "host", "user")
_EVENT = ("time", "host", "service", "user", "help_url", "help_phone")

_ALL = (
    MessageKind("login_code", _CODE, _WHERE),
    MessageKind("enrollment_code", _CODE, _WHERE),
    MessageKind("emergency_code", _CODE, _WHERE),
    MessageKind("reset_code", _CODE, _WHERE),
    MessageKind("notice_credential_added", (), ("label", *_EVENT)),
    MessageKind("notice_credential_removed", (), ("label", *_EVENT)),
    MessageKind("notice_emergency_code", (), _EVENT),
    MessageKind("notice_recovery_used", (), ("left", *_EVENT)),
    MessageKind("notice_device_added", (), ("device", "days", *_EVENT)),
    MessageKind("notice_device_revoked", (), ("device", *_EVENT)),
    MessageKind("notice_account_locked", (), ("minutes", *_EVENT)),
    MessageKind("notice_account_disabled", (), _EVENT),
    MessageKind("notice_credentials_reset", (), _EVENT),
    MessageKind("notice_password_changed", (), _EVENT),
    MessageKind("test", (), ("host", "time")),
)

KINDS = MappingProxyType({kind.name: kind for kind in _ALL})
"""Every kind by its name."""

NUMBERS = frozenset({"minutes", "left", "days"})
"""Values that are whole numbers, because words bend with them ("1 minute", "5 minutes")."""

SAMPLES = MappingProxyType(
    {
        "code": "12345678",
        "minutes": "5",
        "service": "sshd",
        "host": "web1.example.com",
        "user": "alice",
        "time": "2026-03-01 14:02 UTC",
        "label": 'Authenticator app "phone"',
        "device": "Laptop",
        "left": "3",
        "days": "30",
        "help_url": "https://help.example.com/sign-in",
        "help_phone": "+1 415 555 0199",
    }
)
"""Values with which every template is tried at the start."""
