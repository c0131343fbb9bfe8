"""PolicyService: what an administrator asks about policy before people meet it.

MUST 1: nothing here changes anything: a plan is thrown away with the call that brought it.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from nightlatch.errors import ConfigError, Conflict
from nightlatch.rpc.prospects import (
    change_message,
    explanation_message,
    in_messages,
    prospects_message,
    traits_from,
)
from nightlatch.rpc.status import answered
from nightlatch.rpc.streamed import streamed
from nightlatch.v1 import policy_pb2, policy_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import structlog

    from nightlatch.policy.policy import Policy
    from nightlatch.review import Review
    from nightlatch.rpc.caller import Caller, CallerAddresses


class PolicyReader(Protocol):
    """Makes a policy of a configuration's text."""

    async def __call__(self, file: str, text: str, enabled: frozenset[str]) -> Policy:
        """The policy, with `enabled` factors; raises ConfigError with every problem of its rules."""


class PolicyService(policy_pb2_grpc.PolicyServiceServicer):
    """Serves the administrator; only on the admin listener."""

    def __init__(
        self,
        review: Callable[[], Review],
        read: PolicyReader,
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._review = review
        self._read = read
        self.addresses = addresses
        self.log = log

    @answered
    async def ExplainPolicy(
        self, request: policy_pb2.ExplainPolicyRequest, caller: Caller
    ) -> policy_pb2.ExplainPolicyResponse:
        """Explain one login."""
        at = request.time.seconds + request.time.nanos / 1e9 if request.HasField("time") else None
        found = await self._review().explain(
            request.user, request.service, request.source, request.client, at
        )
        return explanation_message(found)

    @streamed
    async def ReportPolicy(
        self, request: policy_pb2.ReportPolicyRequest, caller: Caller
    ) -> AsyncGenerator[policy_pb2.ReportPolicyResponse, None]:
        """Tell what would become of everyone."""
        read = 0
        async with aclosing(self._review().report(request.service, request.client, request.rule)) as pages:
            async for count, people in pages:
                read += count
                for some in in_messages(people):
                    yield policy_pb2.ReportPolicyResponse(read=read, people=map(prospects_message, some))

    @streamed
    async def PlanPolicy(
        self, request: policy_pb2.PlanPolicyRequest, caller: Caller
    ) -> AsyncGenerator[policy_pb2.PlanPolicyResponse, None]:
        """Tell what another configuration would change."""
        traits = traits_from(request.factors)
        try:
            policy = await self._read(request.file, request.configuration, frozenset(traits))
        except ConfigError as error:
            raise Conflict(str(error)) from None
        read = 0
        async with aclosing(self._review().plan(policy, traits)) as pages:
            async for count, changes in pages:
                read += count
                for some in in_messages(changes):
                    yield policy_pb2.PlanPolicyResponse(read=read, changes=map(change_message, some))
