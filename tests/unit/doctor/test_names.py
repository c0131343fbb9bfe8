"""What the doctor says of people whom PAM services call by another name."""

from __future__ import annotations

from nightlatch.doctor.finding import Level
from nightlatch.doctor.names import asked_by_another
from nightlatch.login.engine import BY_ANOTHER_NAME


def _refused(*names: str) -> list[tuple[str, str]]:
    return [(name, f"{BY_ANOTHER_NAME}; the person's own is {name}") for name in names]


def test_people_who_were_called_otherwise_are_one_warning() -> None:
    """Each is named once, the first three of many, with the setting to look at."""
    [one] = asked_by_another([("alice", "wrong password"), *_refused("JDoe", "Bob", "JDoe")])
    assert (one.level, one.part) == (Level.WARN, "names")
    assert one.text.endswith("own: Bob, JDoe")
    assert "name_form" in one.remedy
    [one] = asked_by_another(_refused("e", "d", "c", "b", "a"))
    assert one.text.endswith("own: a, b, c and 2 more")


def test_other_refusals_say_nothing_of_names() -> None:
    """Wrong passwords are everyday."""
    assert asked_by_another([("alice", "wrong password"), ("", "no directory knows the name")]) == []
