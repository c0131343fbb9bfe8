"""What the real sshd's settings mean for the second step."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from nightlatch.doctor.finding import Level
from nightlatch.doctor.sshd import sshd

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n"


@pytest.fixture(scope="module")
def host_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, without which sshd tells nothing."""
    file = tmp_path_factory.mktemp("sshd") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file


@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        (GOOD, [Level.OK]),
        (GOOD.replace("publickey,", ""), [Level.OK]),
        (GOOD.replace("UsePAM yes", "UsePAM no"), [Level.FAIL]),
        ("UsePAM yes\nKbdInteractiveAuthentication no\nPubkeyAuthentication no\n", [Level.FAIL]),
        ("UsePAM yes\nKbdInteractiveAuthentication yes\n", [Level.WARN]),
        (f"PubkeyAuthentication no\n{GOOD.rpartition('Auth')[0]}", [Level.OK]),
    ],
)
def test_the_settings_that_count_are_judged(
    tmp_path: Path, host_key: Path, settings: str, levels: list[Level]
) -> None:
    """PAM is asked, a code can be asked for, and no public key alone lets anybody in."""
    file = tmp_path / "sshd_config"
    file.write_text(f"HostKey {host_key}\n{settings}")

    def ask(*command: str) -> str:
        assert command == ("sshd", "-T")
        # sshd wants a folder below /run, which is there while it runs.
        inside = 'mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec /usr/sbin/sshd -T -f "$0"'
        told = ["unshare", "-m", "sh", "-c", inside, str(file)]
        return subprocess.run(told, check=True, capture_output=True, text=True, timeout=30).stdout

    assert [one.level for one in sshd(ask)] == levels


def test_an_sshd_that_can_not_be_asked_is_told() -> None:
    """As somebody else than root."""
    assert [one.level for one in sshd(lambda *_: None)] == [Level.WARN]
