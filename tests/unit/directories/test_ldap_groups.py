"""What the groups of a server that can not be trusted are worth: a reader that answers what it likes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_groups import group_dialect
from nightlatch.directories.ldap_link import Entry, Query
from nightlatch.directories.settings import LdapSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = "ou=groups,dc=x"
PERSON = Entry("uid=alice,ou=people,dc=x", {"uid": (b"alice", b"\xff"), "gidnumber": (b"5) (cn=*",)})


def _settings(**changes: object) -> LdapSettings:
    return LdapSettings.model_validate(
        {
            "name": "corp",
            "kind": "ldap",
            "urls": ["ldaps://dc1"],
            "bind_dn": "cn=nightlatch,dc=x",
            "bind_password_file": Path("password"),
            "base": "ou=people,dc=x",
            "group_base": GROUPS,
            **changes,
        }
    )


@dataclass
class Answers:
    """Answers every search with the same entries."""

    entries: tuple[Entry, ...]
    asked: list[Query] = field(default_factory=list)

    def one(self, query: Query) -> Entry | None:
        """The first."""
        return next(iter(self.all(query)), None)

    def all(self, query: Query) -> tuple[Entry, ...]:
        """All."""
        self.asked.append(query)
        return self.entries

    def pages(self, query: Query) -> Iterator[tuple[Entry, ...]]:
        """All, on one page."""
        yield self.all(query)


def _group(dn: str, cn: bytes = b"web") -> Entry:
    return Entry(dn, {"cn": (cn,), "objectclass": (b"groupOfNames",), "member": (PERSON.dn.encode(),)})


@pytest.mark.parametrize(
    "entry",
    [
        _group("cn=web,ou=people,dc=x"),
        _group("cn=web,ou=groups,dc=x,dc=evil"),
        _group(""),
        _group("web"),
        _group(f"cn=web,{GROUPS}", cn=b""),
        _group(f"cn=web,{GROUPS}", cn=b"web\nadmins"),
        _group(f"cn=web,{GROUPS}", cn=b"\xff\xfe"),
    ],
)
def test_what_is_no_group_is_no_answer(entry: Entry) -> None:
    """LDP-04: an entry from outside group_base, or without a readable cn, makes all of the groups unknown."""
    groups = group_dialect(_settings())
    for ask in (
        lambda: groups.groups(Answers((entry,)), PERSON),
        lambda: groups.group(Answers((entry,)), "web"),
        lambda: groups.memberships(Answers((entry,))),
    ):
        with pytest.raises(NoVerdict):
            ask()


def test_an_answer_that_always_goes_on_ends() -> None:
    """A server that has a group in itself, whatever it is asked, is asked twice."""
    answers = Answers((_group(f"cn=web,{GROUPS}"),))
    (group,) = group_dialect(_settings()).groups(answers, PERSON)
    assert (group.name, group.via) == ("web", ())
    assert len(answers.asked) == 2


def test_values_of_an_entry_stay_values() -> None:
    """LDP-02: what stands in an entry is escaped in a filter, or left out where it can be no value."""
    answers = Answers(())
    person = Entry("uid=*)(cn=*,ou=people,dc=x", {"uid": (b"*)(cn=*",), "gidnumber": (b"5)(cn=*",)})
    group_dialect(_settings()).groups(answers, person)
    (query,) = answers.asked
    assert "cn=*)" not in query.filter.replace("cn=\\2a", "")
    assert "gidNumber" not in query.filter
    assert query.filter.count("(") == query.filter.count(")")


def test_a_directory_without_groups_asks_nothing() -> None:
    """Without group_base nobody is in a group, and no search is made to say so."""
    answers = Answers((_group(f"cn=web,{GROUPS}"),))
    groups = group_dialect(_settings(group_base=""))
    assert groups.groups(answers, PERSON) == groups.memberships(answers).of(PERSON) == ()
    assert groups.group(answers, "web") is None
    assert answers.asked == []
