"""What of a message counts, by who sends it."""

from __future__ import annotations

import pytest

from nightlatch.rpc.caller import Caller
from nightlatch.rpc.convert import login_request
from nightlatch.rpc.rights import OF_A_SOCKET, OF_THE_PAM_SOCKET, Rights
from nightlatch.v1 import login_pb2

PAM = Caller("pam", "uid=0", OF_THE_PAM_SOCKET)
VPN = Caller("client", "vpn", Rights(sets_source=True), "192.0.2.1")
PORTAL = Caller("client", "portal", Rights(), "192.0.2.2")


def message(source: str = "198.51.100.7") -> login_pb2.BeginLoginRequest:
    """A login with a key and a token as evidence."""
    return login_pb2.BeginLoginRequest(
        user="alice",
        service="sshd",
        origin=login_pb2.Origin(remote_host=source),
        primary=login_pb2.PRIMARY_PASSWORD,
        evidence=[
            login_pb2.Evidence(ssh_public_key="ssh-ed25519 AAAA"),
            login_pb2.Evidence(device_token="t"),
            login_pb2.Evidence(),
        ],
    )


@pytest.mark.parametrize(
    ("caller", "evidence"),
    [
        (PAM, ("ssh:ssh-ed25519 AAAA", "token:t")),
        (VPN, ("token:t",)),
        (Caller("admin", "uid=0", OF_A_SOCKET), ("token:t",)),
    ],
)
def test_a_key_is_evidence_from_pam_alone(caller: Caller, evidence: tuple[str, ...]) -> None:
    """The module reports keys that sshd has verified; what an application says of keys is no proof."""
    assert login_request(message(), caller).evidence == evidence


@pytest.mark.parametrize(
    ("caller", "source"), [(PAM, "198.51.100.7"), (VPN, "198.51.100.7"), (PORTAL, "192.0.2.2")]
)
def test_a_source_is_the_caller_s_own_without_the_right(caller: Caller, source: str) -> None:
    """POL-04: the kernel's word on the connection, unless the client may speak for others."""
    assert login_request(message(), caller).source == source


@pytest.mark.parametrize("text", ["", " 10.0.0.1", "::ffff:10.0.0.1", "host.example.com"])
def test_the_text_of_a_source_is_not_touched(text: str) -> None:
    """POL-04: nothing is made into an address here, and nothing stands in for what was left out."""
    assert login_request(message(text), VPN).source == text
