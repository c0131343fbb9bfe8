"""The master key, and what is sealed with keys made from it.

MUST 1: one key per purpose, by HKDF-SHA256 (RFC 5869); the master key itself encrypts nothing.
MUST 2: sealed text is authenticated together with where it belongs, so that it opens nowhere else.
MUST 3: a nonce never repeats under one key: each text has a key of its own, made from 16 random bytes,
        and 12 random bytes of nonce, which lifts the 2**32 texts of NIST SP 800-38D, section 8.3.
MUST 4: a key is never made where there is one.
"""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nightlatch.errors import ConfigError, NightlatchError

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.ports import Randomness

KEY_BYTES = 32
_SALT_BYTES = 16
_NONCE_BYTES = 12
_CREDENTIAL_MODE = 0o440
_OVERHEAD = _SALT_BYTES + _NONCE_BYTES


class SealError(NightlatchError):
    """A sealed text was made with another key, for another place, or was changed."""


class Sealer:
    """Seals and opens texts of one purpose with AES-256-GCM."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._key = key
        self._randomness = randomness

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "Sealer(…)"

    def seal(self, text: bytes, place: bytes) -> bytes:
        """Encrypt `text` and bind it to `place`, the associated data."""
        head = self._randomness.bytes(_OVERHEAD)
        return head + self._cipher(head).encrypt(head[_SALT_BYTES:], text, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt what `seal` made for the same place; raises SealError for anything else."""
        head = sealed[:_OVERHEAD]
        if len(head) < _OVERHEAD:
            message = "the sealed text is too short"
            raise SealError(message)
        try:
            return self._cipher(head).decrypt(head[_SALT_BYTES:], sealed[_OVERHEAD:], place)
        except InvalidTag as error:
            message = "the sealed text does not belong here, or the key is another"
            raise SealError(message) from error

    def _cipher(self, head: bytes) -> AESGCM:
        # Keyed BLAKE2b (RFC 7693) is a pseudo-random function in one call. hmac.digest would let go of the
        # interpreter's lock and wait for it: half a millisecond where several threads are at work.
        return AESGCM(blake2b(head[:_SALT_BYTES], digest_size=KEY_BYTES, key=self._key).digest())


class MasterKey:
    """The one secret of an installation, 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "MasterKey(…)"

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"nightlatch/v1/{purpose}".encode()).derive(
            self._key
        )

    def of_epoch(self, epoch: str) -> MasterKey:
        """The key of what lasts for a while only, in one epoch of the store; itself before the first."""
        return MasterKey(self.derive(f"epoch/{epoch}")) if epoch else self


def create_key_file(path: Path, randomness: Randomness) -> MasterKey:
    """Make a new key at `path`, mode 0600; raises FileExistsError where there is one."""
    key = randomness.bytes(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()  # half a key would stop every later start, and nothing was sealed with it
        raise
    return MasterKey(key)


def load_key_file(path: Path) -> MasterKey:
    """Read the key at `path`; raises ConfigError where it is missing, malformed, or open to others."""
    try:
        # Not blocking, so that a pipe in the key's place can not hold the start up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ConfigError((f"{path}: there is no key file. {_MISSING}",)) from None
    except OSError as error:
        raise ConfigError((f"{path}: the key file can not be opened: {error.strerror}. {_OWN}",)) from error
    try:
        status = os.fstat(descriptor)
        regular = stat.S_ISREG(status.st_mode)
        key = os.read(descriptor, KEY_BYTES + 1) if regular else b""
    except OSError as error:
        raise ConfigError((f"{path}: the key file can not be read: {error.strerror}.",)) from error
    finally:
        os.close(descriptor)
    if not regular:
        raise ConfigError((f"{path}: the key file is not a regular file. {_MISSING}",))
    if problems := _problems(path, status, len(key)):
        raise ConfigError(problems)
    return MasterKey(key)


def _problems(path: Path, status: os.stat_result, length: int) -> tuple[str, ...]:
    problems = []
    mode = stat.S_IMODE(status.st_mode)
    # systemd shows a credential as root's, 0440: its ACL's mask looks like a group's right to read.
    credential = mode == _CREDENTIAL_MODE and status.st_uid == status.st_gid == 0
    if mode & 0o077 and not credential:
        problems.append(f"{path}: others may read the key file (mode {mode:04o}). Run: chmod 600 {path}")
    if status.st_uid not in {0, os.geteuid()}:
        problems.append(f"{path}: the key file belongs to uid {status.st_uid}. {_OWN}")
    if length != KEY_BYTES:
        found = "more" if length > KEY_BYTES else str(length)
        problems.append(f"{path}: the key file holds {found} bytes, a key has {KEY_BYTES}. {_MISSING}")
    return tuple(problems)


_MISSING = (
    "Restore it from your backup: without it, nothing that is enrolled can be opened. "
    "For a new installation, make one with: nightlatch key create FILE"
)
_OWN = "It must belong to the daemon's user or root, and be no symbolic link."
