"""What the daemon and the PAM helper say to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.directories import pam_protocol as protocol
from nightlatch.directories.pam_protocol import HEAD_BYTES, Malformed, Outcome


@pytest.mark.parametrize(
    "name", ["alice", "Bob", "_x", "a", "svc-1.2", "web$", "alice@corp.example", "a" * 255]
)
def test_names_of_accounts(name: str) -> None:
    """Names that tools make are names."""
    assert protocol.is_unix_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-rf",
        ".",
        "..",
        "../x",
        "a/b",
        "a b",
        "a:b",
        "1000",
        "a\n",
        "a\x00",
        "$(id)",
        "älice",
        "a" * 257,
        "a$b",
    ],
)
def test_what_is_no_name(name: str) -> None:
    """IDN-05: what a shell, a path, passwd(5) or a log gives a meaning is no name, and never reaches NSS."""
    assert not protocol.is_unix_name(name)


@given(st.binary(min_size=1, max_size=1024).filter(lambda password: b"\x00" not in password))
def test_a_question_is_read_as_it_was_asked(password: bytes) -> None:
    """Every password comes out as it went in."""
    asked = protocol.question("alice", password)
    name_length, password_length = protocol.read_head(asked[:HEAD_BYTES])
    body = asked[HEAD_BYTES:]
    assert len(body) == name_length + password_length
    assert protocol.read_body(body[:name_length], body[name_length:]) == ("alice", password)


@pytest.mark.parametrize(
    ("name", "password"), [("", b"x"), ("a b", b"x"), ("alice", b""), ("alice", b"x" * 1025)]
)
def test_questions_that_can_not_be_asked(name: str, password: bytes) -> None:
    """What the helper would refuse is not sent."""
    with pytest.raises(ValueError, match="not a name"):
        protocol.question(name, password)


@given(st.binary(max_size=4))
def test_only_whole_known_answers_are_answers(data: bytes) -> None:
    """Of all that can be received, eight texts of two bytes are answers."""
    known = {protocol.answer(outcome): outcome for outcome in Outcome}
    try:
        assert protocol.read_answer(data) is known[data]
    except Malformed:
        assert data not in known


def test_no_flipped_bit_grants() -> None:
    """Outcomes are far apart: no single wrong bit turns a refusal into RIGHT."""
    for outcome in set(Outcome) - {Outcome.RIGHT}:
        assert (outcome ^ Outcome.RIGHT).bit_count() > 1
