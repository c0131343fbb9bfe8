"""Making a directory: the files that its settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.directories.build import build_directory, read_password
from nightlatch.directories.group_cache import CachedGroups
from nightlatch.directories.ldap import LdapDirectory
from nightlatch.directories.pam import PamDirectory
from nightlatch.directories.settings import LdapSettings, PamSettings
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.pki import Pki


def _settings(folder: Path, ca: Path | None) -> LdapSettings:
    return LdapSettings(
        name="corp",
        kind="ldap",
        urls=("ldaps://dc1.example.com",),
        ca_file=ca,
        bind_dn="cn=nightlatch,dc=example,dc=com",
        bind_password_file=folder / "password",
        base="dc=example,dc=com",
    )


def _password(folder: Path, content: bytes = b"secret\n", mode: int = 0o600) -> None:
    (folder / "password").write_bytes(content)
    (folder / "password").chmod(mode)


async def test_builds_what_the_settings_say(tmp_path: Path, pki: Pki) -> None:
    """LDAP settings make an LDAP directory, with or without a CA file; PAM settings a PAM directory."""
    _password(tmp_path)
    log = structlog.get_logger()
    for settings, kind in (
        (_settings(tmp_path, pki.ca), LdapDirectory),
        (_settings(tmp_path, None), LdapDirectory),
        (PamSettings(name="local", kind="pam"), PamDirectory),
    ):
        directory = build_directory(
            settings.model_copy(update={"group_cache_seconds": 0}), log, SystemClock(), SystemRandomness()
        )
        assert isinstance(directory, kind)
        assert directory.name == settings.name
        await directory.close()


async def test_groups_are_kept_unless_the_settings_say_no() -> None:
    """By default a directory's groups are kept for a minute; with 0 it is asked every time."""
    for seconds, kind in ((60, CachedGroups), (0, PamDirectory)):
        settings = PamSettings(name="local", kind="pam", group_cache_seconds=seconds)
        directory = build_directory(settings, structlog.get_logger(), SystemClock(), SystemRandomness())
        assert isinstance(directory, kind)
        await directory.close()
    assert PamSettings(name="local", kind="pam").group_cache_seconds == 60


def test_all_problems_at_once(tmp_path: Path) -> None:
    """A missing password and a CA file that is none are reported together, each with its file."""
    (tmp_path / "ca").write_text("this is no certificate")
    with pytest.raises(ConfigError) as failed:
        build_directory(
            _settings(tmp_path, tmp_path / "ca"), structlog.get_logger(), SystemClock(), SystemRandomness()
        )
    password, authority = failed.value.problems
    assert str(tmp_path / "password") in password
    assert str(tmp_path / "ca") in authority
    assert "corp" in password


def test_missing_ca_file(tmp_path: Path) -> None:
    """A CA file that is not there is named."""
    _password(tmp_path)
    with pytest.raises(ConfigError, match="ca-that-is-not-there"):
        build_directory(
            _settings(tmp_path, tmp_path / "ca-that-is-not-there"),
            structlog.get_logger(),
            SystemClock(),
            SystemRandomness(),
        )


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
@pytest.mark.parametrize("content", [b"pass word", b"pass word\n", b"pass word\r\n"])
def test_password_file(tmp_path: Path, content: bytes, mode: int) -> None:
    """The password is the file without the end of its line; a group may read it."""
    _password(tmp_path, content, mode)
    assert read_password(tmp_path / "password").reveal() == "pass word"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o666])
def test_password_file_open_to_others(tmp_path: Path, mode: int) -> None:
    """A password that others may read, or change, stops the start and says which command helps."""
    _password(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match="chmod 640"):
        read_password(tmp_path / "password")


@pytest.mark.parametrize("content", [b"", b"\n", b"Canary\x00", b"Canary\xff", b"Canary" * 200])
def test_password_file_without_a_password(tmp_path: Path, content: bytes) -> None:
    """A file that holds no password is refused, and its content is not repeated."""
    _password(tmp_path, content)
    with pytest.raises(ConfigError) as failed:
        read_password(tmp_path / "password")
    assert "Canary" not in str(failed.value)


def test_password_folder(tmp_path: Path) -> None:
    """A folder, or a pipe that would hang the start, is no file."""
    with pytest.raises(ConfigError, match="no file"):
        read_password(tmp_path)
