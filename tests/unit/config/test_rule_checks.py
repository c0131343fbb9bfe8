"""What is wrong with rules beside the rest of the file, told by the check with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testbed.configuration import Folder

DN = "cn=robots,ou=groups,dc=example,dc=com"
WITH_GROUPS = 'group_base = "ou=groups,dc=example,dc=com"\n'
LOCAL = '[[directories]]\nname = "local"\nkind = "pam"\n'


def rule(name: str = "r", **settings: str) -> str:
    """A rule with these settings, as TOML."""
    return f'[[policies]]\nname = "{name}"\n' + "".join(
        f"{key} = {value}\n" for key, value in settings.items()
    )


def exemption(match: str, lifts: str = "") -> str:
    """A rule that leaves the second factor out."""
    more = {"lifts": lifts} if lifts else {}
    return rule("robots", match=match, second_factor='"skip"', exemption='"x"', **more)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            rule(match='{ scope = "administrators" }'),
            "policies[0].match.scope: no group is an administrators'",
        ),
        (rule("everyone"), 'policies[0].name: "everyone" is the default rule'),
        (rule("a") + rule("b") + rule("a"), 'policies[2].name: two rules have the name "a".'),
        (
            rule("a") + exemption('{ users = ["x"] }', '["b"]'),
            'policies[1].lifts[0]: there is no rule "b".\nKnown: a.',
        ),
        (
            rule("a") + exemption('{ users = ["x"] }', '["robots"]'),
            'policies[1].lifts[0]: "robots" demands nothing that could be lifted.',
        ),
        (
            rule(match='{ directories = ["crop"] }'),
            'policies[0].match.directories[0]: there is no directory "crop".',
        ),
        (
            rule(match='{ clients = ["pam", "!vpn"] }'),
            'policies[0].match.clients[1]: there is no client "vpn".',
        ),
        (rule(match='{ groups = ["x"] }'), ""),
        (rule(match='{ groups = ["x"], directories = ["local"] }') + LOCAL, ""),
        (
            exemption('{ groups = ["robots"] }'),
            "policies[0].match.groups[0]: an exemption names groups by DN",
        ),
        (
            '[policy]\nadministrators = ["robots"]\n'
            + exemption('{ scope = "administrators", users = ["x"] }'),
            "policy.administrators[0]: an exemption names groups by DN",
        ),
        (exemption(f'{{ groups = ["{DN}", "!others"] }}'), ""),
        (exemption('{ groups = ["robots"], directories = ["local"] }') + LOCAL, ""),
        (exemption('{ users = ["x"] }'), ""),
        (
            exemption('{ users = ["x"] }') + LOCAL,
            'would be exempt too.\nAdd directories = ["corp"], or another of: corp, local.',
        ),
        (exemption('{ users = ["x"], directories = ["corp"] }') + LOCAL, ""),
        (rule(match='{ users = ["x"] }') + LOCAL, ""),
    ],
)
def test_a_rule_is_checked_beside_the_whole_file(folder: Folder, text: str, words: str) -> None:
    """Each problem with its place and with what to do; right rules have none (POL-02, IDN-03)."""
    folder.append(WITH_GROUPS + text)
    problems = ["\n".join(line.strip() for line in each.splitlines()) for each in folder.problems()]
    problems = [each for each in problems if "nightlatch-pamcheck" not in each]
    if words:
        (problem,) = problems
        assert words in problem
        assert problem.partition("  ")[0].isdigit()
    else:
        assert problems == []


def test_rules_with_groups_want_a_directory_that_can_tell_them(folder: Folder) -> None:
    """Without group_base nobody is in any group: such a rule would concern nobody."""
    folder.append(rule(match='{ groups = ["x"] }'))
    (problem,) = folder.problems()
    assert "none of the rule's directories can tell groups." in problem
    assert problem.startswith(f"{folder.line('groups = [')}  policies[0].match.groups: ")
    folder.append(LOCAL)
    assert [each for each in folder.problems() if "can tell groups" in each] == []


def test_a_problem_elsewhere_hides_none_of_these(folder: Folder) -> None:
    """The rules are looked at though another table is wrong."""
    folder.replace('level = "info"', 'level = "loud"')
    folder.append(rule("everyone"))
    assert len(folder.problems()) == 2


@pytest.mark.parametrize("users", ["[]", '["!alice"]', '["!alice", "!bob"]'])
def test_lists_that_are_empty_or_only_leave_out_are_refused(folder: Folder, users: str) -> None:
    """They look like a rule, and would concern nobody, or everybody (POL-02)."""
    folder.append(rule(match=f"{{ users = {users} }}"))
    (problem,) = folder.problems()
    assert "policies[0].match.users" in problem
