"""A stand-in for the daemon's PolicyService: real gRPC over a real unix socket, and invented answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from nightlatch.v1 import admin_pb2, policy_pb2, policy_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class FakePolicy(policy_pb2_grpc.PolicyServiceServicer):
    """Answers as its fields say, and keeps what it was asked."""

    socket: Path
    explanation: policy_pb2.ExplainPolicyResponse = field(default_factory=policy_pb2.ExplainPolicyResponse)
    report: list[policy_pb2.ReportPolicyResponse] = field(default_factory=list)
    plan: list[policy_pb2.PlanPolicyResponse] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)

    def ExplainPolicy(  # noqa: N802, gRPC's name
        self, request: policy_pb2.ExplainPolicyRequest, context: object
    ) -> policy_pb2.ExplainPolicyResponse:
        self.asked.append(request)
        return self.explanation

    def ReportPolicy(  # noqa: N802, gRPC's name
        self, request: policy_pb2.ReportPolicyRequest, context: object
    ) -> Iterator[policy_pb2.ReportPolicyResponse]:
        self.asked.append(request)
        yield from self.report

    def PlanPolicy(  # noqa: N802, gRPC's name
        self, request: policy_pb2.PlanPolicyRequest, context: object
    ) -> Iterator[policy_pb2.PlanPolicyResponse]:
        self.asked.append(request)
        yield from self.plan


@contextmanager
def serving_policy(fake: FakePolicy) -> Iterator[FakePolicy]:
    """Serve the fake on its socket."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        policy_pb2_grpc.add_PolicyServiceServicer_to_server(fake, server)
        server.add_insecure_port(f"unix:{fake.socket}")
        server.start()
        try:
            yield fake
        finally:
            server.stop(None).wait()


def person(
    name: str,
    outlook: policy_pb2.Outlook.ValueType,
    because: str = "so it is",
    otherwise: policy_pb2.Outlook.ValueType = policy_pb2.OUTLOOK_UNSPECIFIED,
) -> policy_pb2.PersonProspects:
    """Somebody in a report."""
    prospect = policy_pb2.PlacesProspect(
        places=["sshd"], outlook=outlook, because=because, rules=["staff"], otherwise=otherwise
    )
    account = admin_pb2.Account(directory="corp", stable_id=f"id-of-{name}", name=name)
    return policy_pb2.PersonProspects(account=account, prospects=[prospect])
