"""What privacyIDEA 3.14 has really written (`pi-tokenjanitor find export`), with seeds that were made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightlatch.factor import ImportedSecret
from nightlatch.importing import privacyidea, pskc
from nightlatch.importing.found import EVENT_BASED, Finding, Found, SourceFault

EXPORTED = Path(__file__).parent / "exported"
USUAL = {
    "Alice, her phone": ImportedSecret(b"a1" * 10, "SHA1", 6, 30),
    "TOTP0001455A": ImportedSecret(b"b2" * 16, "SHA256", 6, 30),
    "TOTP00022217": ImportedSecret(b"d4" * 10, "SHA1", 8, 60),
    "TOTP0003310C": ImportedSecret(b"e5" * 32, "SHA512", 6, 30),
    "TOTP00040A47": ImportedSecret(b"f6" * 10, "SHA1", 6, 30),
    "TOTP00079034": ImportedSecret(b"k2" * 5, "SHA1", 6, 30),
}


def by_label(findings: list[Finding]) -> dict[str, ImportedSecret | str]:
    """What was found of each token, or why not."""
    found: dict[str, ImportedSecret | str] = {}
    for one in findings:
        if isinstance(one, Found):
            assert isinstance(one.what, ImportedSecret)
            found[one.label] = one.what
        else:
            found[one.label] = one.why
    return found


def test_its_yaml_says_everything() -> None:
    """Six tokens that may come over, a counter, one that is disabled, one revoked, two of other kinds."""
    findings = privacyidea.read(EXPORTED / "privacyidea-3.14.yaml")
    assert by_label(findings) == {
        **USUAL,
        "OATH0000201D": EVENT_BASED,
        "TOTP00057809": "disabled there",
        "TOTP00065779": "locked or revoked there",
        "PISP000060A2": "of a kind that is not supported: spass",
        "PISM00009704": "of a kind that is not supported: sms",
    }
    owners = {one.label: (one.owner, one.realm, one.note) for one in findings if isinstance(one, Found)}
    assert owners["Alice, her phone"] == ("alice", "people", "")
    assert owners["TOTP0001455A"][2] == privacyidea.PIN_NOTE
    assert owners["TOTP00040A47"][:2] == ("", "")


def test_its_csv_says_less_and_so_does_the_report() -> None:
    """Disabled and revoked tokens look like all others: each row tells that nobody can know."""
    findings = privacyidea.read(EXPORTED / "privacyidea-3.14.csv")
    found = by_label(findings)
    usual = {"TOTP0000EBF1": USUAL["Alice, her phone"], **USUAL}
    del usual["Alice, her phone"]
    assert {label: what for label, what in found.items() if label in usual} == usual
    assert found["OATH0000201D"] == EVENT_BASED
    assert isinstance(found["TOTP00065779"], ImportedSecret)
    assert {one.note for one in findings if isinstance(one, Found)} == {privacyidea.HASH_NOTE}


def test_its_pskc_is_told_to_be_its_own(tmp_path: Path) -> None:
    """What it writes is not RFC 6030: the words say what to export in its place."""
    file = tmp_path / "out.pskc"
    file.write_text('<keycontainer version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"></keycontainer>')
    with pytest.raises(SourceFault, match="--format yaml"):
        pskc.read(file)
