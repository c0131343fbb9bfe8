"""Signed heads: read as they were made, and as a log has them; whatever else is none."""

from __future__ import annotations

import json

import pytest

from nightlatch.audit.chain import ChainKey
from nightlatch.audit.heads import ForgedHead, Head, HeadKeys, HeadKind

KEYS = HeadKeys(b"k" * 32)
HEAD = Head(HeadKind.HEAD, "00ff", 7, b"\x01" * 32, 1_700_000_000.123456)


def test_a_head_is_read_as_it_was_signed() -> None:
    """Also from a line of the log, which has more fields."""
    line = KEYS.sign(HEAD)
    assert KEYS.read(line) == HEAD
    assert KEYS.read(json.dumps({"time": "now", "event": "audit.head", **json.loads(line)})) == HEAD


@pytest.mark.parametrize(
    "change",
    [{"sequence": 8}, {"kind": "pruned"}, {"writer": "00fe"}, {"at": 1.0}, {"chain": "00" * 32}],
)
def test_a_changed_head_is_forged(change: dict[str, object]) -> None:
    """Every field is under the signature."""
    with pytest.raises(ForgedHead, match="signature"):
        KEYS.read(json.dumps(json.loads(KEYS.sign(HEAD)) | change))


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", "\x00", '{"kind": 1}', "9" * 5000])
def test_what_is_no_head_is_forged(line: str) -> None:
    """No line ends a verification."""
    with pytest.raises(ForgedHead):
        KEYS.read(line)


def test_another_key_signs_other_heads() -> None:
    """A head is worth something only to the installation that made it."""
    with pytest.raises(ForgedHead):
        HeadKeys(b"o" * 32).read(KEYS.sign(HEAD))


def test_a_link_tells_its_row_from_every_other() -> None:
    """The key, what is before, and each field count, also where one field ends and the next begins."""
    key = ChainKey(b"k" * 32)
    links = {
        key.link(b"a", "w", 1, 1.0, ("x", "y")),
        key.link(b"b", "w", 1, 1.0, ("x", "y")),
        key.link(b"a", "v", 1, 1.0, ("x", "y")),
        key.link(b"a", "w", 2, 1.0, ("x", "y")),
        key.link(b"a", "w", 1, 1.5, ("x", "y")),
        key.link(b"a", "w", 1, 1.0, ("xy", "")),
        key.link(b"a", "w", 1, 1.0, ("x", "y", "")),
        ChainKey(b"o" * 32).link(b"a", "w", 1, 1.0, ("x", "y")),
        key.start("w"),
    }
    assert len(links) == 9
