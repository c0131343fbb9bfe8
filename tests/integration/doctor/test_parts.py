"""Single looks of the doctor at real servers: certificates that end, and a store on PostgreSQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from nightlatch.config import Config
from nightlatch.directories.settings import DirectorySettings
from nightlatch.doctor.directories import directory
from nightlatch.doctor.finding import Level
from nightlatch.doctor.key_and_store import key_and_store
from nightlatch.store import open_store
from testbed.fixtures_store import KEY, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.slapd import Slapd

DAY = 86_400


def levels(slapd: Slapd, url: str, days: int, pam_dir: Path, **changes: object) -> list[tuple[Level, str]]:
    """What is found of a directory with one server, `days` from now."""
    settings = {"kind": "ldap", **slapd.settings(), "urls": (url,), **changes}
    checked: DirectorySettings = TypeAdapter(DirectorySettings).validate_python(settings)
    return [(one.level, one.text) for one in directory(checked, time.time() + days * DAY, pam_dir)]


def test_a_certificate_that_ends_soon_is_a_warning(slapd: Slapd, tmp_path: Path) -> None:
    """Over TLS from the start, and over StartTLS: the real certificate of 30 days, seen 20 days later."""
    for url, start_tls in ((slapd.tls_url, False), (slapd.url, True)):
        [(level, text)] = levels(slapd, url, 0, tmp_path, start_tls=start_tls)
        assert (level, url in text) == (Level.OK, True), text
        first, (level, text) = levels(slapd, url, 20, tmp_path, start_tls=start_tls)
        assert first[0] is Level.OK
        assert (level, "ends in 9 days" in text) == (Level.WARN, True), text


def test_a_wrong_service_account_and_a_missing_base_are_failures(slapd: Slapd, tmp_path: Path) -> None:
    """The server is there, and of no use."""
    missing = levels(slapd, slapd.tls_url, 0, tmp_path, base="ou=nowhere,dc=example,dc=com")
    assert [level for level, _ in missing] == [Level.FAIL]
    wrong = tmp_path / "wrong"
    wrong.write_text("not it\n")
    wrong.chmod(0o600)
    refused = levels(slapd, slapd.tls_url, 0, tmp_path, bind_password_file=wrong)
    assert [level for level, _ in refused] == [Level.FAIL]
    assert "service account" in refused[0][1]


async def test_a_store_on_postgresql_is_looked_at(postgres_url: str, tmp_path: Path) -> None:
    """Its version, its schema's revision, and whether the key is its key."""
    key = tmp_path / "master.key"
    key.write_bytes(KEY._key)
    key.chmod(0o600)
    store = open_store(postgres_url, KEY, SetClock(), SystemRandomness())
    await store.close()
    config = Config.model_validate(
        {
            "plugins": {"enabled": ("totp",)},
            "directories": ({"kind": "pam", "name": "local"},),
            "store": {"url": postgres_url, "key_file": key},
        }
    )
    found = {one.part: one for one in key_and_store(config)}
    assert (found["key"].level, found["store"].level) == (Level.OK, Level.OK), found
    assert "PostgreSQL" in found["store"].text
    key.write_bytes(b"x" * 32)
    assert [one.level for one in key_and_store(config) if one.part == "key"] == [Level.OK, Level.FAIL]
    run(postgres_url, "update alembic_version set version_num = '9999'")
    assert [one.level for one in key_and_store(config) if one.part == "store"] == [Level.FAIL]
