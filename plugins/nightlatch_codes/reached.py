"""By which channels, and where, the owner of a credential is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.factor import Reach
from nightlatch_codes import emergency_state, state
from nightlatch_codes.settings import SendingSettings

if TYPE_CHECKING:
    from nightlatch.factor import Settings


def channels(settings: Settings) -> tuple[str, ...]:
    """The channels that a factor's settings name."""
    if not isinstance(settings, SendingSettings):
        raise TypeError("a factor that sends codes has SendingSettings")
    return settings.channels


def reach(sealed: bytes) -> Reach:
    """The address of an SMS or email credential, by the channels that the settings name now.

    Raises ValueError for a state not ours.
    """
    return Reach((), state.decode(sealed).address)


def reach_in_emergency(sealed: bytes) -> Reach:
    """The security email, by the channels that the settings name now.

    Raises ValueError for a state not ours.
    """
    return Reach((), emergency_state.decode(sealed).address)
