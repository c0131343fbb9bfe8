"""Whose an imported credential is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import Found, Skipped, SourceFault
from nightlatch.importing.owners import read_map, with_owners
from testbed.elsewhere import SECRET

if TYPE_CHECKING:
    from pathlib import Path

WHAT = ImportedSecret(SECRET, "SHA1", 6, 30)


def found(owner: str, realm: str = "", serial: str = "") -> Found:
    """A credential of somebody."""
    return Found(owner, "", WHAT, realm=realm, serial=serial)


def named(*findings: Found, mapping: dict[str, str] | None = None) -> list[str]:
    """The names that the credentials get here; empty for those that are skipped."""
    return [one.owner if isinstance(one, Found) else "" for one in with_owners(findings, mapping or {})]


def test_two_people_of_one_name_are_never_mixed() -> None:
    """MUST 1: a name that two realms have is nobody's until the map says whose."""
    both = (found("alice", "corp"), found("alice", "lab"))
    assert named(*both) == ["", ""]
    assert named(*both, mapping={"alice@corp": "alice", "alice@lab": "alice2"}) == ["alice", "alice2"]
    assert named(*both, mapping={"alice": "alice"}) == ["", ""]


def test_serial_numbers_and_names_are_mapped_and_left_out() -> None:
    """A serial number goes before a name; an empty new name leaves out."""
    assert named(found("", serial="S1"), mapping={"S1": "bob"}) == ["bob"]
    assert named(found("", serial="S1")) == [""]
    assert named(found("old"), found("gone"), mapping={"old": "new", "gone": ""}) == ["new", ""]
    assert with_owners([found("gone")], {"gone": ""}) == [Skipped("gone", "", "left out by the map")]


def test_a_map_is_read_and_its_mistakes_are_named(tmp_path: Path) -> None:
    """Two columns a line; a name with two new names is a mistake."""
    file = tmp_path / "users.csv"
    file.write_text('# old,new\nold,new\n"Doe, Jane",jane\ngone,\n')
    assert read_map(file) == {"old": "new", "Doe, Jane": "jane", "gone": ""}
    file.write_text("a,b\na,c\n")
    with pytest.raises(SourceFault, match="line 2"):
        read_map(file)
    file.write_text("a\n")
    with pytest.raises(SourceFault, match="line 1"):
        read_map(file)
