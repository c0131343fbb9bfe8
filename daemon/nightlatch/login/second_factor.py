"""The second factor of a login: which credentials may answer, what they ask, what the answer is worth.

MUST 1: a silent factor is asked only where policy trusts devices, and never chosen by the person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Refused
from nightlatch.factor import Challenge, Subject
from nightlatch.login.asking_context import AskingContext
from nightlatch.login.hold import ends_at
from nightlatch.login.requirement import Requirements
from nightlatch.login.silent import SilentTrial
from nightlatch.login.trial import Judgement, Proof, Trial
from nightlatch.model import Changes, Credential, DecisionRequest, Result, Secret, Snapshot

if TYPE_CHECKING:
    from nightlatch.factor import FactorPlugin
    from nightlatch.login.asking_context import Sends
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.policy.model import Requirement

CHALLENGE_SECONDS = 10.0
"""How long a factor may take to ask (DESIGN section 9)."""


class SecondFactor:
    """Asks for an account's second factor and decides on the answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._requirements = Requirements(parts)

    async def requirement(self, turn: Turn) -> Requirement:
        """What policy demands of this login now."""
        return await self._requirements.of(turn)

    async def usable(self, turn: Turn) -> tuple[Credential, ...]:
        """The credentials that the person may choose, the one used last first, last resorts at the end.

        One that nobody has shown yet (printed codes) stands behind those that were proven.
        """
        allowed = await self._allowed(turn)
        credentials = await self._parts.store.credentials(turn.account().id)
        usable = [one for one in credentials if one.factor in allowed and not self.plugin(one).silent]
        if not self._parts.takes_held:
            standing, now = await self._parts.store.standing(turn.account().id), self._parts.clock.now()
            usable = [one for one in usable if not ends_at(standing, one.id, now)]
        usable.sort(key=self._shown_at, reverse=True)
        return tuple(sorted(usable, key=lambda one: self.plugin(one).last_resort))

    def _shown_at(self, credential: Credential) -> float:
        """When a credential was last proven; 0 for never."""
        proven_by_enrolling = self.plugin(credential).confirmed
        return credential.last_used_at or (credential.created_at if proven_by_enrolling else 0.0)

    async def _allowed(self, turn: Turn) -> frozenset[str]:
        """The factors whose proof this login asks for."""
        if not turn.state.proving:
            return (await self.requirement(turn)).factors
        plugins = (facade.plugin for facade in self._parts.factors.values())
        return frozenset(one.name for one in plugins if not one.silent and not one.last_resort)

    async def has_other(self, turn: Turn) -> bool:
        """Whether the account has any credential but trusted devices, whatever policy lets count."""
        credentials = await self._parts.store.credentials(turn.account().id)
        facades = (self._parts.factors.get(one.factor) for one in credentials)
        return any(facade is None or not facade.plugin.silent for facade in facades)

    async def on_hold(self, turn: Turn) -> tuple[str, float] | None:
        """The name of what would count here but for its hold, and until when; the one that ends first."""
        if self._parts.takes_held:
            return None
        allowed = await self._allowed(turn)
        account_id, now = turn.account().id, self._parts.clock.now()
        standing = await self._parts.store.standing(account_id)
        credentials = await self._parts.store.credentials(account_id)
        ends = ((one.label, ends_at(standing, one.id, now)) for one in credentials if one.factor in allowed)
        return min((one for one in ends if one[1]), key=lambda one: one[1], default=None)

    def plugin(self, credential: Credential) -> FactorPlugin:
        """What a credential's factor has declared."""
        return self._parts.factors[credential.factor].plugin

    def title(self, credential: Credential) -> str:
        """A credential in the list of ways: 'Authenticator app "phone"'."""
        plugin = self.plugin(credential)
        return plugin.choice.format(title=plugin.title, label=credential.label)

    async def challenge(
        self,
        turn: Turn,
        credential: Credential,
        memo: bytes = b"",
        sender: Sends | None = None,
        *,
        dialogue: bool = True,
    ) -> Challenge:
        """Ask one credential's question; raises NotSent (and TooManyMessages), Locked, Unavailable.

        `sender` takes what is sent, in place of the daemon's own. `dialogue`: an answer can ask again.
        """
        now = self._parts.clock.now()
        context = AskingContext(
            now,
            now + CHALLENGE_SECONDS,
            memo,
            turn.state.service,
            self._parts.randomness,
            sender or self._parts.sender,
            turn.event_for(credential),
            dialogue=dialogue,
        )
        account = turn.account()
        facade = self._parts.factors[credential.factor]
        try:
            subject = Subject(account.name, account.directory)
            challenge = await facade.challenge(subject, credential.state, context)
        except NotSent:
            if context.stopped is not None:
                raise context.stopped from None
            raise
        if challenge.state is not None:
            await self._keep(replace(credential, state=challenge.state))
        return challenge

    async def check(self, turn: Turn, answer: Secret) -> Judgement:
        """Decide on an answer; raises Unavailable."""
        scope = limits.factor_scope(turn.account().id)
        event = turn.event("login.factor", Result.REFUSED, "")
        allowed = await self._allowed(turn)
        trial = Trial(self._parts, turn.state, allowed, answer, scope, event)
        return self._told(
            turn, await self._parts.store.decide(self._request(turn, scope, turn.spend_key), trial)
        )

    async def check_evidence(self, turn: Turn, requirement: Requirement) -> Judgement:
        """Decide on what the caller sent with the login; raises Unavailable."""
        silent = frozenset(name for name in requirement.factors if self._parts.factors[name].plugin.silent)
        if not (turn.state.evidence and silent and requirement.trusted_device_days):
            return Judgement(Proof.REJECTED)
        scope = limits.factor_scope(turn.account().id)
        event = turn.event("login.evidence", Result.REFUSED, "")
        trial = SilentTrial(self._parts, turn.state, silent, scope, event)
        # Once a login. Not the ticket: behind a password, that is spent by the password already.
        request = self._request(turn, scope, turn.state.login_id)
        return self._told(turn, await self._parts.store.decide(request, trial))

    def tell_revoked(self, turn: Turn, credential: Credential) -> None:
        """Tell the person that a factor took one of their credentials away: somebody may have stolen it."""
        template = "notice_device_revoked" if self.plugin(credential).silent else "notice_credential_removed"
        self._parts.notices.tell(template, turn.event_for(credential), credential.label)

    def _told(self, turn: Turn, judgement: Judgement) -> Judgement:
        """A judgement, after the watcher heard of it, and the person of what it took away."""
        turn.factor = judgement.credential.factor if judgement.credential is not None else ""
        if judgement.revoked and judgement.credential is not None:
            self.tell_revoked(turn, judgement.credential)
        self._parts.watcher.proof(turn.factor, judgement.proof.value)
        return judgement

    async def refuse_if_changed(self, turn: Turn) -> None:
        """Raise Refused when the accepted credential is gone, Locked when the account is blocked by now."""
        scope = limits.factor_scope(turn.account().id)

        def body(snapshot: Snapshot) -> tuple[Changes, limits.Blocked | bool]:
            charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
            if isinstance(charged, limits.Blocked):
                return Changes(), charged
            return Changes(), any(one.id == turn.state.credential_id for one in snapshot.credentials)

        found = await self._parts.store.decide(self._request(turn, scope, ""), body)
        if isinstance(found, limits.Blocked):
            raise Locked(found.reason, found.retry_after)
        if not found:
            raise Refused("the credential was removed during the login")

    def _request(self, turn: Turn, scope: str, spend_key: str) -> DecisionRequest:
        account = turn.account()
        held = not self._parts.takes_held
        return DecisionRequest((scope,), account.id, account, spend_key=spend_key, standing=held)

    async def _keep(self, credential: Credential) -> None:
        """Store what a challenge changed, unless the credential was removed meanwhile."""

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            there = [one for one in snapshot.credentials if one.id == credential.id]
            return Changes(put=tuple(replace(one, state=credential.state) for one in there)), None

        await self._parts.store.decide(DecisionRequest(account_id=credential.account_id), body)
