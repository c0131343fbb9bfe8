"""Puts together what administrators ask the audit by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.audit.evidence import AuditKeys
from nightlatch.audit.inquiry import Inquiry
from nightlatch.login.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.app.core import Core
    from nightlatch.app.world import World
    from nightlatch.model import Account


def audit_inquiry(core: Callable[[], Core], world: World) -> Inquiry:
    """An inquiry that asks the directories of whatever configuration is current."""

    async def find(name: str) -> Account | None:
        return await Accounts(core().directories).find(name)

    return Inquiry(
        world.audit.log,
        AuditKeys.of(world.key),
        world.key.derive("unknown names"),
        find,
        world.audit.heads.lines,
        world.clock,
    )
