"""What the real sshd's settings mean for the second step."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from nightlatch.doctor.finding import Level
from nightlatch.doctor.sshd import sshd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.doctor.finding import Finding

GOOD = "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n"


@pytest.fixture(scope="module")
def host_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, without which sshd tells nothing."""
    file = tmp_path_factory.mktemp("sshd") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file


@pytest.fixture
def judged(tmp_path: Path, host_key: Path) -> Callable[[str], list[Finding]]:
    """What is found with these settings; the real sshd tells what counts."""
    file = tmp_path / "sshd_config"

    def ask(*command: str) -> str | None:
        assert command[:2] == ("sshd", "-T")
        # sshd wants a folder below /run, which is there while it runs.
        inside = 'mount -t tmpfs none /run && mkdir -m 0755 /run/sshd && exec /usr/sbin/sshd "$@"'
        told = ["unshare", "-m", "sh", "-c", inside, "sh", *command[1:], "-f", str(file)]
        run = subprocess.run(told, check=False, capture_output=True, text=True, timeout=30)
        return None if run.returncode else run.stdout

    def judge(settings: str) -> list[Finding]:
        file.write_text(f"HostKey {host_key}\n{settings}")
        return sshd(ask, file)

    return judge


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
    judged: Callable[[str], list[Finding]], settings: str, levels: list[Level]
) -> None:
    """PAM is asked, a code can be asked for, and no public key alone lets anybody in."""
    assert [one.level for one in judged(settings)] == levels


@pytest.mark.parametrize(
    ("criteria", "setting", "said"),
    [
        ("User git", "KbdInteractiveAuthentication no", "can not ask for a code"),
        ("User git,deploy-*", "AuthenticationMethods publickey", "a public key alone"),
        ("User !root,*", "KbdInteractiveAuthentication no", "can not ask for a code"),
        ("Address 10.1.0.0/16,192.168.*", "AuthenticationMethods publickey", "a public key alone"),
        ("Address 192.168.*", "AuthenticationMethods publickey", "a public key alone"),
        ("Address 2001:db8::/32", "AuthenticationMethods publickey", "a public key alone"),
        ("Host *.example.com", "AuthenticationMethods publickey", "a public key alone"),
        ("LocalPort 2222 User=git", "AuthenticationMethods publickey", "a public key alone"),
        ("Group root", "AuthenticationMethods publickey", "a public key alone"),
        ('User "git"', "KbdInteractiveAuthentication no", "can not ask for a code"),
    ],
)
def test_what_a_match_block_changes_is_told_with_its_place(
    judged: Callable[[str], list[Finding]], criteria: str, setting: str, said: str
) -> None:
    """Everybody is asked for a code, but for those whom the block is meant for."""
    (found,) = judged(f"{GOOD}Match {criteria}\n  {setting}\n")
    assert said in found.text
    assert f'sshd_config line 5, "Match {criteria}"' in found.text


def test_a_block_that_changes_nothing_of_it_is_no_finding(judged: Callable[[str], list[Finding]]) -> None:
    """Nor is one that repeats what is told of everybody already, or that makes it better."""
    quiet = "Match User git\n  X11Forwarding no\nMatch all\n  Banner none\n"
    assert [one.level for one in judged(GOOD + quiet)] == [Level.OK]
    open_to_keys = GOOD.rpartition("Auth")[0]
    assert len(judged(f"{open_to_keys}Match User git\n  X11Forwarding no\n")) == 1
    assert len(judged(f"{open_to_keys}Match User git\n  AuthenticationMethods keyboard-interactive\n")) == 1


def test_blocks_of_included_files_count(judged: Callable[[str], list[Finding]], tmp_path: Path) -> None:
    """Where distributions and other packages put theirs."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "50-git.conf").write_text("Match User git\n  AuthenticationMethods publickey\n")
    (found,) = judged(f"{GOOD}Include {tmp_path}/more/*.conf\n")
    assert '50-git.conf line 1, "Match User git"' in found.text


@pytest.mark.parametrize("criteria", ["Group no-such-group", "Group !root,*", "User !*,git,"])
def test_a_block_that_nobody_is_found_for_is_said_not_to_be_known(
    judged: Callable[[str], list[Finding]], criteria: str
) -> None:
    """What can not be looked at is told, and never taken for right."""
    (found,) = judged(f"{GOOD}Match {criteria}\n  AuthenticationMethods publickey\n")
    assert found.level is Level.WARN
    assert "is not known" in found.text


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    """The server answers, its file is not there: nobody knows of its blocks."""
    answer = "usepam yes\nkbdinteractiveauthentication yes\nauthenticationmethods keyboard-interactive\n"
    (found,) = sshd(lambda *_: answer, tmp_path / "missing")
    assert "can not be read" in found.text


def test_an_sshd_that_can_not_be_asked_is_told() -> None:
    """As somebody else than root."""
    assert [one.level for one in sshd(lambda *_: None)] == [Level.WARN]
