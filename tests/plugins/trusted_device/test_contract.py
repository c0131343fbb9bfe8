"""A trusted device passes the contract suite, known by its key as by its token."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from nightlatch.testing import FactorContract, FactorKit

MONTH = 30 * 86_400.0


def key_of(person: str) -> tuple[str, ...]:
    """What sshd reports of a person's key."""
    name, point = b"ssh-ed25519", hashlib.sha256(person.encode()).digest()
    wire = b"".join(len(part).to_bytes(4, "big") + part for part in (name, point))
    return (f"ssh:ssh-ed25519 {b64encode(wire).decode()}",)


class TestToken(FactorContract):
    """A device that keeps a secret."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """The factor and a caller that keeps what it is given."""
        return FactorKit(
            plugin="trusted_device",
            factor="trusted_device",
            presented=lambda token: f"token:{token}",
            lasting_seconds=MONTH,
            reusable_seconds=10.0,
            verify_seconds=0.02,
        )


class TestSshKey(FactorContract):
    """A device that holds a key, which proves itself at each login."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """The factor and an sshd that reports the person's key."""
        return FactorKit(
            plugin="trusted_device",
            factor="trusted_device",
            evidence=key_of,
            lasting_seconds=MONTH,
            reusable_seconds=None,
            verify_seconds=0.02,
        )
