"""The files and folders that settings name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from testbed.pki import make_pki

if TYPE_CHECKING:
    from testbed.configuration import Folder

NOBODY = 65534


def _only(folder: Folder) -> str:
    (problem,) = folder.problems()
    return problem


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o660, 0o610, 0o666])
def test_a_secret_that_others_may_read(folder: Folder, mode: int) -> None:
    """STO-05, MUST 1: only its owner may read a password; its content is never shown."""
    (folder.root / "corp.password").chmod(mode)
    problem = _only(folder)
    assert f"others may read {folder.root}/corp.password (mode {mode:04o})" in problem
    assert "CANARY" not in problem


def test_a_credential_of_systemd(folder: Folder) -> None:
    """Mode 0440 of root's group is how systemd shows a credential to a service."""
    (folder.root / "corp.password").chmod(0o440)
    assert folder.problems() == []
    os.chown(folder.root / "corp.password", 0, NOBODY)
    assert "others may read" in _only(folder)


def test_a_secret_of_a_stranger(folder: Folder) -> None:
    """MUST 1: whoever owns the file could change it."""
    os.chown(folder.root / "corp.password", NOBODY, NOBODY)
    assert f"belongs to uid {NOBODY}" in _only(folder)


def test_a_secret_that_is_missing_or_empty_or_no_file(folder: Folder) -> None:
    """Each has its words."""
    path = folder.root / "corp.password"
    path.write_text("\nsecond line\n")
    assert "is empty" in _only(folder)
    path.unlink()
    assert f"directories[0].bind_password_file: there is no file {path}." in _only(folder)
    path.mkdir(mode=0o700)
    assert "it is not a regular file" in _only(folder)
    path.rmdir()
    os.mkfifo(path, 0o600)
    assert "it is not a regular file" in _only(folder)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "holds 0 bytes"),
        (bytes(31), 0o600, "holds 31 bytes"),
        (bytes(33), 0o600, "holds more bytes"),
        (bytes(32), 0o644, "others may read"),
        (bytes(32), 0o660, "others may read"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_key_that_is_not_right(
    folder: Folder, content: bytes, mode: int, words: str, *, named: bool
) -> None:
    """STO-02: the key that is configured, and the daemon's own, are 32 bytes that nobody else reads."""
    key = folder.key()
    if named:
        key = key.rename(folder.root / "other.key")
        folder.replace('url = "sqlite"', f'key_file = "{key}"')
    key.write_bytes(content)
    key.chmod(mode)
    problem = _only(folder)
    assert "store.key_file: " in problem
    assert words in problem


def test_a_configured_key_must_be_there(folder: Folder) -> None:
    """STO-02: only the embedded store's own key is made by itself."""
    folder.replace('url = "sqlite"', f'key_file = "{folder.root}/none.key"')
    assert f"store.key_file: there is no file {folder.root}/none.key." in _only(folder)


def test_a_key_behind_a_link(folder: Folder) -> None:
    """The start of the daemon refuses links, so the check does."""
    key = folder.key()
    key.rename(folder.root / "real.key")
    key.symlink_to(folder.root / "real.key")
    assert "is a symbolic link" in _only(folder)


def test_certificates_must_be_certificates(folder: Folder) -> None:
    """A CA file that can not be read would stop every login later."""
    path = folder.root / "ca.pem"
    folder.append(f'ca_file = "{path}"\n')
    assert f"directories[0].ca_file: there is no file {path}." in _only(folder)
    path.write_text("no certificate")
    path.chmod(0o644)
    assert "holds no certificate in PEM" in _only(folder)
    path.write_bytes(make_pki(folder.root / "pki").ca.read_bytes())
    assert folder.problems() == []
    path.chmod(0o664)
    assert "choose whom to trust" in _only(folder)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_a_folder_of_sockets_that_others_may_write(folder: Folder, mode: int) -> None:
    """MUST 2: others could put their own socket in the place of the daemon's."""
    (folder.root / "sockets").chmod(mode)
    problems = folder.problems()
    assert [problem.partition(":")[0].split()[-1] for problem in problems] == [
        "listeners.pam.socket",
        "listeners.admin.socket",
    ]
    assert all(f"others may write the folder {folder.root}/sockets" in problem for problem in problems)


def test_a_folder_of_sockets_that_can_not_be_reached(folder: Folder) -> None:
    """A file in the way, above or in the place of the socket."""
    (folder.root / "sockets").rmdir()
    (folder.root / "sockets").write_text("")
    assert all("sockets is not a folder." in problem for problem in folder.problems())
    (folder.root / "sockets").unlink()
    (folder.root / "sockets").mkdir()
    (folder.root / "sockets" / "pam.sock").touch()
    assert "pam.sock exists and is no socket." in _only(folder)


def test_a_folder_that_can_not_be_made(folder: Folder) -> None:
    """Where even root may not write, it is said before the start."""
    folder.replace(f'"{folder.root}/run"', '"/proc/1/none/run"')
    assert "daemon.runtime_dir: " in _only(folder)


def test_folders_that_are_missing_are_made_later(folder: Folder) -> None:
    """A missing folder is no problem where it can be made."""
    (folder.root / "sockets").rmdir()
    assert folder.problems() == []


def test_state_of_a_stranger(folder: Folder) -> None:
    """A runtime folder of another user is not used."""
    (folder.root / "run").mkdir(mode=0o700)
    os.chown(folder.root / "run", NOBODY, NOBODY)
    assert f"run belongs to uid {NOBODY}" in _only(folder)
