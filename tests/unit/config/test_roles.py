"""What is wrong with the tables of roles, told by the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testbed.configuration import Folder

DN = "cn=admins,ou=groups,dc=example,dc=com"


def role(**settings: str) -> str:
    """A role with these settings, as TOML."""
    return '[[roles]]\nrole = "admin"\n' + "".join(f"{key} = {value}\n" for key, value in settings.items())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (role(groups='["admins"]'), "roles[0].groups[0]: a role names groups by DN: any other group called"),
        (role(uids="[0]") + role(uids="[0]"), 'roles[0].uids[0]: "0" has more than one role.'),
        (
            role(clients='["web"]'),
            'roles[0].clients[0]: "web": there is no [[clients]] table with that name.',
        ),
        (role(uids="[7]"), 'roles[0].uids[0]: "7": listeners.admin.allow_uids does not let that user in.'),
    ],
)
def test_a_role_that_is_somebody_else_s_is_told(folder: Folder, text: str, words: str) -> None:
    """API-02: who may make a group of the same short name somewhere is no administrator by that."""
    folder.append(text)
    assert [one for one in folder.problems() if words in one], folder.problems()


def test_a_role_by_dn_is_right(folder: Folder) -> None:
    """The whole DN is one group's."""
    folder.append(role(groups=f'["{DN}"]', uids="[0]"))
    assert folder.problems() == []
