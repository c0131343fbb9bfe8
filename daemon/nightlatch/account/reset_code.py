"""The code that is mailed to somebody who has forgotten the password.

MUST 1: sending happens behind the answer, which is the same for everybody: neither its words nor its time
        tell whether there is an account, or where its mail goes.
MUST 2: a code is 60 bits, good for `CODE_SECONDS`, once, and the newest alone; the store has its keyed hash.
MUST 3: the limits of messages hold, in a budget of their own: nobody uses up another's for signing in.
MUST 4: guesses are charged before they are looked at, for names that nobody has as for others.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.account.reset_ticket import CODE_SECONDS
from nightlatch.account.session import standing_of
from nightlatch.addresses import one_source
from nightlatch.channel import Medium, Message, NotSent
from nightlatch.enrollment.asking import change
from nightlatch.enrollment.invites import GROUP, LETTERS
from nightlatch.errors import Locked, NightlatchError
from nightlatch.login.unknown import unknown_id
from nightlatch.model import Changes, DecisionRequest, Result
from nightlatch.sending import Budget

if TYPE_CHECKING:
    from nightlatch.factor import Reach
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, Snapshot

LENGTH = 12
SECONDS = 30.0
CLOSING_SECONDS = 5.0
"""How long the codes under way are waited for when the daemon stops: nobody asks for theirs a second time."""
MOST_UNDER_WAY = 200
TEMPLATE = "reset_code"
_LOOK_ALIKE = str.maketrans("OIL", "011", " -")


class ResetCodes:
    """Sends codes in the background, and looks at what was typed."""

    def __init__(self, parts: Parts, key: bytes) -> None:
        self._parts = parts
        self._key = key
        self._under_way: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "ResetCodes(…)"

    def send_later(self, caller: str, user: str, source: str) -> None:
        """Send a code, if there is somebody to send it to; afterwards, and without a word of it here."""
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._parts.log.error("reset.dropped", under_way=len(self._under_way))
            return
        task = asyncio.get_running_loop().create_task(self._try(caller, user, source))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for the codes under way, for a bounded time."""
        if not self._under_way:
            return
        _, left = await asyncio.wait(self._under_way, timeout=CLOSING_SECONDS)
        if left:
            self._parts.log.warning("reset.not_sent", kind="stopping", under_way=len(left))

    async def take(self, caller: str, user: str, source: str, typed: str) -> Account | None:
        """The account whose code this is, and spend the code; None for a wrong one.

        Raises Locked after too many guesses, Unavailable.
        """
        account = await self._parts.accounts.find(user)
        key = account.id if account is not None else unknown_id(self._parts.name_key, user)
        place = one_source(source or "-")
        rules: dict[str, limits.Rule] = {
            f"reset/{limits.in_scope(key)}/{place}": limits.charge_password_from_source,
            f"source/{place}": limits.charge_source,
        }

        def body(snapshot: Snapshot) -> tuple[Changes, bool | limits.Blocked]:
            charges = limits.charge_each(rules, snapshot.limits, snapshot.now)
            if isinstance(charges, limits.Blocked):
                return Changes(limits={charges.scope: charges.state}), charges
            standing = snapshot.standing
            tag = self._tag(account.id if account else "", typed)
            right = account is not None and bool(standing.reset) and standing.disabled_at is None
            right = right and snapshot.now < standing.reset_expires_at
            if not (hmac.compare_digest(standing.reset.encode(), tag.encode()) and right):
                return Changes(limits=charges.states), False
            assert account is not None
            at = charges.charged_at
            forgiven = {scope: limits.refund(state, at) for scope, state in charges.states.items()}
            event = change("password.reset_code", account, caller)
            event = replace(event, result=Result.PASSED, source=source)
            spent = replace(standing, reset="", reset_expires_at=0.0)
            return Changes(limits=forgiven, standing=spent, events=(event,)), True

        known = "" if account is None else account.id
        request = DecisionRequest(tuple(rules), known, account, standing=account is not None)
        outcome = await self._parts.store.decide(request, body)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        return account if outcome else None

    async def _try(self, caller: str, user: str, source: str) -> None:
        try:
            await self._send(caller, user, source)
        except (NightlatchError, NotSent) as error:
            self._parts.log.warning("reset.not_sent", kind=type(error).__name__, reason=str(error))

    async def _send(self, caller: str, user: str, source: str) -> None:
        account = await self._parts.accounts.find(user)
        if account is None or not self._parts.accounts.resets_password(account):
            self._parts.log.info("reset.nobody", known=account is not None)
            return
        reach = await self._mailbox(account)
        if reach is None:
            self._parts.log.info("reset.no_mailbox", account=account.id)
            return
        drawn = "".join(LETTERS[byte % len(LETTERS)] for byte in self._parts.randomness.bytes(LENGTH))
        code = "-".join(drawn[start : start + GROUP] for start in range(0, LENGTH, GROUP))
        event = replace(
            change("message.send", account, caller), result=Result.PASSED, source=source, service="account"
        )
        values = {"code": code, "minutes": str(int(CODE_SECONDS // 60)), "user": account.name}
        await self._parts.sender.send(event, reach, Message(TEMPLATE, values), SECONDS, Budget.RESETS)

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            end = snapshot.now + CODE_SECONDS
            standing = replace(snapshot.standing, reset=self._tag(account.id, code), reset_expires_at=end)
            return Changes(standing=standing), None

        await self._parts.store.decide(standing_of(account), body)

    async def _mailbox(self, account: Account) -> Reach | None:
        """Where the security email of an account is; None where it has none."""
        for credential in await self._parts.store.credentials(account.id):
            facade = self._parts.factors.get(credential.factor)
            if facade and facade.plugin.last_resort and facade.plugin.medium is Medium.MAILBOX:
                return facade.reach(credential.state)
        return None

    def _tag(self, account_id: str, typed: str) -> str:
        """What is kept of a code: by a key, and for one account."""
        text = typed.upper().translate(_LOOK_ALIKE)
        return hmac.new(self._key, f"{account_id}\0{text}".encode(), hashlib.sha256).hexdigest()
