"""Nested groups: circles, ways and the deepest level, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.directories.group_climb import Step, climb, dn_key
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.matched_values import matched_values
from nightlatch.model import Group

if TYPE_CHECKING:
    from collections.abc import Iterator


def _climb(above: dict[str, str], first: str, deepest: int = 10) -> dict[str, tuple[str, ...]]:
    """Climb from the groups in `first` by a map of a group to the groups that it is in."""

    def go_up(level: tuple[Step, ...]) -> Iterator[Step]:
        for step in level:
            for name in above.get(step.group.name, ""):
                yield step.above((f"cn={name}",), f"cn={name}", name)

    steps = (Step((f"cn={name}",), Group(f"cn={name}", name)) for name in first)
    return {group.name: group.via for group in climb(steps, go_up, deepest)}


def test_the_shortest_way_is_told() -> None:
    """A group that is reached twice is told once, by the shorter way."""
    assert _climb({"a": "bc", "b": "c", "c": "d"}, "a") == {
        "a": (),
        "b": ("a",),
        "c": ("a",),
        "d": ("a", "c"),
    }
    assert _climb({"a": "b"}, "ab") == {"a": (), "b": ()}


@pytest.mark.parametrize("above", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "bc", "b": "ac", "c": "ab"}])
def test_circles_end(above: dict[str, str]) -> None:
    """However groups are in each other, the climb ends, and has each of them."""
    assert _climb(above, "a").keys() == {"a", *"".join(above.values())}


def test_nobody_is_in_no_group() -> None:
    """No direct group means none at all."""
    assert _climb({"a": "b"}, "") == {}


@pytest.mark.parametrize("deepest", [1, 2, 3])
def test_deeper_is_no_verdict(deepest: int) -> None:
    """A chain of three is told with a limit of three, and is no answer with a lower one."""
    chain = {"a": "b", "b": "c"}
    if deepest == len("abc"):
        assert _climb(chain, "a", deepest).keys() == set("abc")
    else:
        with pytest.raises(NoVerdict, match="group_depth"):
            _climb(chain, "a", deepest)


def test_a_circle_at_the_deepest_level_is_whole() -> None:
    """Groups that only lead back to known ones are not deeper."""
    assert _climb({"a": "b", "b": "a"}, "a", deepest=2).keys() == set("ab")


@pytest.mark.parametrize("same", ["cn=A  b,dc=x", "CN=a b, DC=X", "cn=a\\20b,dc=x", " cn = a b , dc = x"])
def test_spellings_of_a_dn_are_one_key(same: str) -> None:
    """Case, spaces and escapes make no other group."""
    assert dn_key(same) == dn_key("cn=a b,dc=x")


@pytest.mark.parametrize("no_dn", ["", " ", "alice", "cn=a,", "=x", "cn=\\"])
def test_what_is_no_dn_has_no_key(no_dn: str) -> None:
    """The empty member of an empty group, or rubbish, is nobody's key."""
    assert dn_key(no_dn) is None


def test_matched_values_is_ber() -> None:
    """The control is RFC 3876's sequence, with lengths of every size."""
    _, critical, value = matched_values(("cn",), (("member", "cn=a"),))
    assert not critical
    assert value == bytes.fromhex("3014 8702 636e a30e 0406 6d656d626572 0404 636e3d61".replace(" ", ""))
    for count in (127, 128, 255, 256, 70_000):
        _, _, long = matched_values((), (("m", "x" * count),))
        assert long is not None
        assert long.endswith(b"x" * count)
