"""The published vectors of RFC 6238 and RFC 4226, through the factor's own `verify`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nightlatch.factor import Decision
from nightlatch_totp.codes import CodeMaker
from nightlatch_totp.factor import TotpFactor
from nightlatch_totp.settings import AlgorithmName, TotpSettings
from nightlatch_totp.state import TotpState

DIGITS = b"1234567890"
SECRETS: dict[AlgorithmName, bytes] = {
    "SHA1": DIGITS * 2,
    "SHA256": DIGITS * 3 + DIGITS[:2],
    "SHA512": DIGITS * 6 + DIGITS[:4],
}
RFC_6238: tuple[tuple[int, AlgorithmName, str], ...] = (
    (59, "SHA1", "94287082"),
    (59, "SHA256", "46119246"),
    (59, "SHA512", "90693936"),
    (1111111109, "SHA1", "07081804"),
    (1111111109, "SHA256", "68084774"),
    (1111111109, "SHA512", "25091201"),
    (1111111111, "SHA1", "14050471"),
    (1111111111, "SHA256", "67062674"),
    (1111111111, "SHA512", "99943326"),
    (1234567890, "SHA1", "89005924"),
    (1234567890, "SHA256", "91819424"),
    (1234567890, "SHA512", "93441116"),
    (2000000000, "SHA1", "69279037"),
    (2000000000, "SHA256", "90698825"),
    (2000000000, "SHA512", "38618901"),
    (20000000000, "SHA1", "65353130"),
    (20000000000, "SHA256", "77737706"),
    (20000000000, "SHA512", "47863826"),
)
RFC_4226 = (
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
)


@dataclass(frozen=True)
class At:
    """A moment, as a factor's context."""

    now: float
    deadline: float = 0.0

    def random_bytes(self, count: int) -> bytes:
        """`verify` draws nothing."""
        raise AssertionError(count)


@pytest.mark.parametrize(("now", "algorithm", "code"), RFC_6238)
def test_appendix_b_of_rfc_6238(now: int, algorithm: AlgorithmName, code: str) -> None:
    """Each code of the RFC's table is accepted at its time, and refused three steps later."""
    state = TotpState(SECRETS[algorithm], algorithm, digits=8).encode()
    factor = TotpFactor(TotpSettings())
    assert factor.verify(state, b"", code, At(now)).decision is Decision.ACCEPT
    assert factor.verify(state, b"", code, At(now + 90)).decision is Decision.REJECT


@pytest.mark.parametrize(("now", "algorithm", "code"), RFC_6238)
def test_six_digits_are_the_last_six(now: int, algorithm: AlgorithmName, code: str) -> None:
    """RFC 4226 section 5.3: a shorter code is the same number modulo a lower power of ten."""
    state = TotpState(SECRETS[algorithm], algorithm, digits=6).encode()
    verdict = TotpFactor(TotpSettings()).verify(state, b"", code[-6:], At(now))
    assert verdict.decision is Decision.ACCEPT


@pytest.mark.parametrize("counter", range(10))
def test_appendix_d_of_rfc_4226(counter: int) -> None:
    """The HOTP under each time step is that of the RFC."""
    assert CodeMaker(SECRETS["SHA1"], 6, "SHA1").code(counter) == RFC_4226[counter]
