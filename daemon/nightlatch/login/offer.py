"""After a grant: whether this device shall spare the person the second step for a while.

MUST 1: it is offered only where policy trusts devices, and only for what the caller can show or keep.
MUST 2: the end of the trust is fixed when it is given, by the daemon's clock.
MUST 3: a person's devices are bounded: each is looked at in every later login, where others wait.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Invalid, Unavailable
from nightlatch.factor import EnrollmentRequest, Subject
from nightlatch.model import Changes, Credential, DecisionRequest, Result
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import AuditEvent, Snapshot
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.policy.model import Requirement

DAY = 86_400.0
SECONDS = 5.0
MOST_DEVICES = 20
"""Of one account."""
REPLACED = "another device took its place"


class Offer:
    """Asks for trust, and enrols the device."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def question(self, turn: Turn, requirement: Requirement) -> str:
        """What to ask; empty where there is nothing to offer."""
        if not (turn.state.evidence or turn.state.keeps_token):
            return ""
        facade, days = self._offered(requirement)
        shown = any(piece.startswith("ssh:") for piece in turn.state.evidence)
        if facade is None or not days or not (shown or turn.state.keeps_token):
            return ""
        return facade.offer(turn.state.evidence, days)

    async def take(self, turn: Turn, requirement: Requirement) -> str:
        """Trust the device; the secret that the caller keeps for it, if there is one.

        The login is granted whatever comes of it: an outage here only means that nothing is trusted.
        """
        facade, days = self._offered(requirement)
        account = turn.account()
        now = self._parts.clock.now()
        if facade is None or not days:
            return ""
        context = CallContext(now, now + SECONDS, self._parts.randomness)
        request = EnrollmentRequest(facade.title, "", turn.state.evidence, now + days * DAY)
        try:
            made = facade.enroll(Subject(account.name, account.directory), request, context)
            identity = str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))
            label = made.label or facade.title
            end = now + days * DAY
            credential = Credential(account.id, identity, facade.name, label, made.state, now, expires_at=end)
            event = replace(turn.event_for(credential), event="device.add", result=Result.CHANGED)
            await self._parts.store.decide(
                DecisionRequest(account_id=account.id), _in_place_of_the_oldest(credential, event)
            )
        except (Invalid, Unavailable) as error:
            self._parts.log.warning("device.not_trusted", ref=turn.state.reference, reason=str(error))
            return ""
        self._parts.notices.tell("notice_device_added", event, label, {"days": str(days)})
        return made.token

    def _offered(self, requirement: Requirement) -> tuple[FactorFacade | None, int]:
        """The factor that policy lets be offered here, and for how many days."""
        facades = (self._parts.factors[name] for name in sorted(requirement.factors))
        facade = next((one for one in facades if one.plugin.offer), None)
        return facade, requirement.trusted_device_days


def _in_place_of_the_oldest(
    credential: Credential, event: AuditEvent
) -> Callable[[Snapshot], tuple[Changes, None]]:
    """Adds a device; where there are enough, those go that were used longest ago."""

    def body(snapshot: Snapshot) -> tuple[Changes, None]:
        devices = [one for one in snapshot.credentials if one.factor == credential.factor]
        devices.sort(key=lambda one: one.last_used_at or one.created_at, reverse=True)
        gone = devices[MOST_DEVICES - 1 :]
        revoked = (
            replace(event, event="device.revoke", reason=REPLACED, credential_id=one.id) for one in gone
        )
        removed = tuple(one.id for one in gone)
        return Changes(put=(credential,), removed=removed, events=(event, *revoked)), None

    return body
