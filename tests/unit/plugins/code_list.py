"""A sound factor, small enough to put one fault into: numbered codes, each good for one login."""

from __future__ import annotations

SOURCE = '''
"""Numbered codes on a printed list, each good for one login."""

import hashlib
import hmac

from pydantic import Field

from nightlatch.factor import Challenge, Decision, Enrollment, FactorPlugin, Settings, Verdict, hookimpl

VERSION = 1


class ListSettings(Settings):
    """The table [factors.list]. Unknown keys are errors; defaults make the table optional."""

    codes: int = Field(10, ge=2, le=16, description="How many codes a list has.")


def code(secret, number):
    return hmac.digest(secret, bytes([number]), hashlib.sha256).hex()[:10]


def opened(state):
    """The parts of a state; raises ValueError for one that this factor did not write."""
    if len(state) != 23 or state[0] != VERSION:
        raise ValueError("this is no state of a list")
    return state[1], state[2], state[3:]


class CodeList:
    def __init__(self, settings):
        self._codes = settings.codes

    def enroll(self, subject, request, context):
        secret = context.random_bytes(20)
        return Enrollment(
            state=bytes([VERSION, 1, self._codes]) + secret,
            details=tuple((f"code {number}", code(secret, number)) for number in range(1, self._codes + 1)),
        )

    async def challenge(self, subject, state, context):
        number, last, _ = opened(state)
        return Challenge(prompt=f"Code {min(number, last)} of your list")

    def verify(self, state, memo, answer, context):
        number, last, secret = opened(state)
        if number > last:
            return Verdict(Decision.REJECT, reason="all codes of the list are used")
        typed = answer.encode(errors="replace")
        if not hmac.compare_digest(typed, code(secret, number).encode()):
            return Verdict(Decision.REJECT, reason=f"not code {number} of the list")
        return Verdict(Decision.ACCEPT, state=bytes([VERSION, number + 1, last]) + secret)


@hookimpl
def nightlatch_factors():
    return [FactorPlugin(name="list", title="Code list", settings=ListSettings, build=CodeList)]
'''
