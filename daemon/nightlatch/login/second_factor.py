"""The second factor of a login: which credentials may answer, what they ask, what the answer is worth.

MUST 1: what policy demands is asked again at the answer, so that a reload in the middle of a login counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.factor import Challenge, Subject
from nightlatch.login.trial import Judgement, Trial
from nightlatch.model import Account, Credential, DecisionRequest, Result, Secret
from nightlatch.plugins.facade import CallContext
from nightlatch.policy.evaluate import evaluate
from nightlatch.policy.model import LoginFacts

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.login.turn import Turn

CHALLENGE_SECONDS = 10.0
"""How long a factor may take to ask (DESIGN section 9)."""


class SecondFactor:
    """Asks for an account's second factor and decides on the answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def usable(self, state: LoginState, account: Account) -> tuple[Credential, ...]:
        """The credentials that may answer here, the one used last first; raises Unavailable."""
        allowed = self._allowed(state, account)
        credentials = await self._parts.store.credentials(account.id)
        usable = (credential for credential in credentials if credential.factor in allowed)
        return tuple(sorted(usable, key=lambda one: one.last_used_at or one.created_at, reverse=True))

    def title(self, credential: Credential) -> str:
        """A credential's name for people: 'Authenticator app "phone"'."""
        return f'{self._parts.factors[credential.factor].title} "{credential.label}"'

    async def challenge(self, account: Account, credential: Credential) -> Challenge:
        """Ask one credential's question; raises Unavailable."""
        now = self._parts.clock.now()
        context = CallContext(now, now + CHALLENGE_SECONDS, self._parts.randomness)
        facade = self._parts.factors[credential.factor]
        return await facade.challenge(Subject(account.name, account.directory), credential.state, context)

    async def check(self, turn: Turn, answer: Secret) -> Judgement:
        """Decide on an answer; raises Locked, Unavailable."""
        account = turn.account()
        scope = limits.factor_scope(account.id)
        event = turn.event("login.factor", Result.REFUSED, "")
        trial = Trial(self._parts, turn.state, self._allowed(turn.state, account), answer, scope, event)
        request = DecisionRequest((scope,), account.id, account, spend_key=turn.state.login_id)
        return await self._parts.store.decide(request, trial)

    def _allowed(self, state: LoginState, account: Account) -> frozenset[str]:
        facts = LoginFacts(account, state.service, state.source)
        return evaluate(self._parts.rules, facts, frozenset(self._parts.factors)).factors
