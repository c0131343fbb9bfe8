"""From the roles of the configuration to rights: of users on the admin socket, and of applications."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.desk.roles import Role, RoleGroups
from nightlatch.rpc.rights import OF_A_SOCKET
from nightlatch.rpc.roles import ALL_OF_AN_ADMINISTRATOR, METHODS, OF_NOBODY, rights_of

if TYPE_CHECKING:
    from nightlatch.config import Config
    from nightlatch.rpc.rights import Rights


def role_groups(config: Config) -> RoleGroups:
    """The groups that give roles."""
    return RoleGroups(
        {
            role: tuple(group for one in config.roles if one.role == role.value for group in one.groups)
            for role in Role
        }
    )


def socket_rights(config: Config, uid: int) -> Rights:
    """What a user of this host may do on the admin socket: by role, or all; or nothing before signing in."""
    role = next((Role(one.role) for one in config.roles if uid in one.uids), None)
    if role is not None:
        return rights_of(role)
    return OF_NOBODY if uid in config.administration.sign_in_uids else OF_A_SOCKET


def with_role(config: Config, client: str, rights: Rights) -> Rights:
    """An application's rights, and those of its role."""
    role = next((Role(one.role) for one in config.roles if client in one.clients), None)
    if role is None:
        return rights
    methods = METHODS[role] if role is not Role.ADMIN else ALL_OF_AN_ADMINISTRATOR
    return replace(
        rights,
        methods=(rights.methods or frozenset()) | methods,
        over_administrators=rights.over_administrators or role is Role.ADMIN,
    )
