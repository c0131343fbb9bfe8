"""Which of a person's login names is the own one."""

from __future__ import annotations

import itertools

import pytest

from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Entry
from nightlatch.directories.login_names import LONGEST_NAMES, MOST_NAMES, login_names

PEOPLE = "ou=people,dc=example,dc=com"


def entry(rdn: str, *values: str | bytes, attribute: str = "uid") -> Entry:
    """A person's entry."""
    raw = tuple(value if isinstance(value, bytes) else value.encode() for value in values)
    return Entry(f"{rdn},{PEOPLE}", {attribute.lower(): raw})


@pytest.mark.parametrize(
    ("rdn", "own"),
    [
        ("uid=smith", "Smith"),
        ("UID = SMITH", "Smith"),
        ("userid=smith", "Smith"),
        ("cn=Alice Smith+uid=smith", "Smith"),
        (r"uid=\53mith", "Smith"),
        ("cn=smith", "alice"),
        ("cn=Alice Smith", "alice"),
        ("uid=somebody", "alice"),
        (r"cn=a\+uid=smith", "alice"),
        (r"cn=a\,uid=smith", "alice"),
        ("uid=#0405736d697468", "alice"),
    ],
)
def test_the_own_name_is_that_of_the_rdn_or_the_first_in_the_alphabet(rdn: str, own: str) -> None:
    """MUST 1: whatever the order in which a server tells the values."""
    for values in itertools.permutations(("Smith", "bob", "alice")):
        names = login_names(entry(rdn, *values), "uid")
        assert names[0] == own
        assert set(names) == set(values)


def test_one_name_is_the_own_one_wherever_it_stands() -> None:
    """With one value there is nothing to choose; with none that can be read there is no name."""
    assert login_names(entry("cn=Alice Smith", "alice"), "uid") == ("alice",)
    assert login_names(entry("uid=other", "alice"), "UID") == ("alice",)
    assert login_names(entry("uid=alice"), "uid") == ()
    assert login_names(entry("uid=alice", b"\xff", "line\nbreak"), "uid") == ()


def test_another_attribute_has_its_own_rdn() -> None:
    """Who signs in by mail is not called by the uid of the DN."""
    addresses = ("b@example.com", "a@example.com")
    assert login_names(entry("uid=b@example.com", *addresses, attribute="mail"), "mail")[0] == addresses[1]
    assert login_names(entry("mail=b@example.com", *addresses, attribute="mail"), "mail")[0] == addresses[0]


@pytest.mark.parametrize(
    "others",
    [[f"n{number}" for number in range(MOST_NAMES)], ["x" * LONGEST_NAMES, "y"]],
    ids=["many", "long"],
)
def test_more_names_than_rules_can_look_at_are_no_account(others: list[str]) -> None:
    """MUST 2: no name is left out in silence; nobody gets round a rule by having many."""
    assert len(login_names(entry("uid=alice", "alice", *others[:1]), "uid")) == 2
    with pytest.raises(NoVerdict, match="the person alice"):
        login_names(entry("uid=alice", "alice", *others), "uid")
