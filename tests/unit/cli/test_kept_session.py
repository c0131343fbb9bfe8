"""The file in which a command keeps a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.kept_session import KeptSession

if TYPE_CHECKING:
    from pathlib import Path


def test_only_one_s_own_session_is_forgotten(tmp_path: Path) -> None:
    """What is kept of another daemon or name is open there still: ending one leaves it alone (SES-04)."""
    tmp_path.chmod(0o700)
    alice, bob = (KeptSession(tmp_path / "a.sock", name, tmp_path) for name in ("alice", "bob"))
    elsewhere = KeptSession(tmp_path / "b.sock", "alice", tmp_path)
    alice.write(b"hers")
    for other in (bob, elsewhere):
        other.forget()
        assert (other.read(), alice.read()) == (b"", b"hers")
    alice.forget()
    assert (alice.read(), list(tmp_path.iterdir())) == (b"", [])


def test_what_can_not_be_read_is_forgotten_too(tmp_path: Path) -> None:
    """A file that others may read is nobody's session any more, and goes."""
    tmp_path.chmod(0o700)
    kept = KeptSession(tmp_path / "a.sock", "alice", tmp_path, "session")
    kept.write(b"hers")
    (tmp_path / "session").chmod(0o644)
    assert kept.read() == b""
    kept.forget()
    assert list(tmp_path.iterdir()) == []
