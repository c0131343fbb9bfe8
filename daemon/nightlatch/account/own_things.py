"""What people see of their own account, and change: credentials, devices, the security email.

MUST 1: a call concerns the session's account and no other (API-02).
MUST 2: the last credential that the person could sign in with stays, until there is another one.
MUST 3: the person is told of every change, everywhere but at the credential that is new.
MUST 4: what is added after a rescue is on hold: it changes nothing before its time (REC-04).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from nightlatch.account.session import standing_of
from nightlatch.channel import Medium
from nightlatch.enrollment.asking import change
from nightlatch.enrollment.enroll import MAX_LABEL
from nightlatch.enrollment.remove import LAST_ONE
from nightlatch.errors import Conflict, Invalid, NotFound
from nightlatch.login.hold import Level, after_removing, is_full, on_hold
from nightlatch.model import Changes, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.account.session import Session, Sessions
    from nightlatch.enrollment import Begun, Enrollments
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, AuditEvent, Credential, Snapshot
    from nightlatch.plugins.facade import FactorFacade

T = TypeVar("T")
MOST_SIGN_INS = 20
_READ = 200
"""Audit rows that are looked through for them."""
_ENDS = frozenset({Result.GRANTED, Result.REFUSED, Result.LOCKED, Result.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Overview:
    """An account, as its person sees it."""

    account: Account
    credentials: tuple[Credential, ...]
    devices: tuple[Credential, ...]
    security_mailbox: str
    """Masked; empty for none."""
    sign_ins: tuple[tuple[float, AuditEvent], ...]
    """The newest first, with their time."""
    offers: tuple[FactorFacade, ...]
    """The factors that can be added."""
    titles: dict[str, str] = field(default_factory=dict)
    """Each factor's name for people."""
    left: dict[str, int] = field(default_factory=dict)
    """How often a credential can still be used, by its id, where that is counted."""
    seconds: float = 0.0
    """How long the session still lives."""
    holds: dict[str, float] = field(default_factory=dict)
    """Until when a credential is on hold, by its id, where it is."""


class OwnThings:
    """Shows and changes what belongs to the person of a session. All raise SessionEnded and Unavailable."""

    def __init__(self, parts: Parts, sessions: Sessions, enrollments: Enrollments) -> None:
        self._parts = parts
        self._sessions = sessions
        self._enrollments = enrollments

    async def overview(self, caller: str, bearer: bytes) -> Overview:
        """All that there is to see."""
        session = await self._sessions.take(caller, bearer)
        account = session.account
        held = await self._parts.store.credentials(account.id)
        standing = await self._parts.store.standing(account.id)
        rows = await self._parts.store.audit_rows(account.id, _READ)
        now = self._parts.clock.now()
        mail = self._mail()
        return Overview(
            account,
            tuple(one for one in held if not self._silent(one) and one.factor != (mail and mail.name)),
            tuple(one for one in held if self._silent(one)),
            next((one.label for one in held if mail and one.factor == mail.name), ""),
            tuple(row for row in rows if _is_sign_in(row[1]))[:MOST_SIGN_INS],
            tuple(
                one
                for one in self._parts.factors.values()
                if not one.plugin.silent and not one.plugin.last_resort
            ),
            {one.name: one.title for one in self._parts.factors.values()},
            {one.id: left for one in held if (left := self._left(one)) is not None},
            session.expires_at - now,
            on_hold(standing, now),
        )

    async def begin_add(
        self, caller: str, bearer: bytes, factor: str, label: str, address: str, *, directory_address: int
    ) -> Begun:
        """A new credential; raises ProofNeeded, and what `Enrollments.begin` raises."""
        facade = self._parts.factors.get(factor)
        replaces = facade is not None and (facade.plugin.single or facade.plugin.last_resort)
        needs = Level.FULL if replaces else Level.RESCUE
        session = await self._sessions.take(caller, bearer, needs)
        return await self._enrollments.begin(
            _bound(caller, session),
            session.account.name,
            factor,
            label,
            address,
            directory_address=directory_address,
        )

    async def confirm_add(self, caller: str, bearer: bytes, ticket: bytes, answer: bytes) -> str:
        """The id of the stored credential; raises ProofNeeded, Refused, Locked, TicketError."""
        session = await self._sessions.take(caller, bearer, Level.RESCUE)
        return await self._enrollments.confirm(_bound(caller, session), ticket, answer, session.level)

    async def begin_security_mailbox(self, caller: str, bearer: bytes, address: str) -> Begun:
        """Send a code to a new security email; raises ProofNeeded, Conflict where none is possible."""
        mail = self._mail()
        if mail is None:
            raise Conflict("This installation has no security email. Ask your administrator.")
        return await self.begin_add(caller, bearer, mail.name, "", address, directory_address=0)

    async def regenerate(self, caller: str, bearer: bytes) -> Begun:
        """New printed codes in place of the old ones; raises ProofNeeded, Conflict where there are none."""
        plugins = (one.plugin for one in self._parts.factors.values())
        printed = (one for one in plugins if one.single and not one.confirmed and not one.silent)
        plugin = next(printed, None)
        if plugin is None:
            raise Conflict("This installation has no recovery codes. Ask your administrator.")
        return await self.begin_add(caller, bearer, plugin.name, "", "", directory_address=0)

    async def rename(self, caller: str, bearer: bytes, credential_id: str, label: str) -> None:
        """Give a credential or a device another name; raises ProofNeeded, Invalid, NotFound, Conflict."""
        if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
            raise Invalid(f"A name has 1 to {MAX_LABEL} printable characters.")
        session = await self._sessions.take(caller, bearer, Level.FULL)

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            found = _one(snapshot.credentials, credential_id)
            if any(one.label == label and one.factor == found.factor for one in snapshot.credentials):
                raise Conflict(f'There is one called "{label}" already. Choose another name.')
            event = change("credential.rename", session.account, _bound(caller, session), found)
            return Changes(put=(replace(found, label=label),), events=(event,)), None

        await self._decide(session, body)

    async def remove(self, caller: str, bearer: bytes, credential_id: str) -> Credential:
        """Remove a credential or a device; raises ProofNeeded, NotFound, Conflict for the last one."""
        session = await self._sessions.take(caller, bearer, Level.FULL)

        def body(snapshot: Snapshot) -> tuple[Changes, Credential]:
            found = _one(snapshot.credentials, credential_id)
            others = (one for one in snapshot.credentials if one.id != found.id)
            if self._signs_in(found) and not any(self._signs_in(one) for one in others):
                raise Conflict(LAST_ONE)
            event = change(self._removal(found), session.account, _bound(caller, session), found)
            standing = after_removing(snapshot.standing, self._parts.factors, (found,))
            return Changes(removed=(found.id,), standing=standing, events=(event,)), found

        removed = await self._decide(session, body)
        self._tell_removed(caller, session, removed)
        return removed

    async def revoke_devices(self, caller: str, bearer: bytes) -> int:
        """End the trust in all devices; how many. Raises ProofNeeded."""
        session = await self._sessions.take(caller, bearer, Level.RESCUE)

        def body(snapshot: Snapshot) -> tuple[Changes, tuple[Credential, ...]]:
            devices = tuple(one for one in snapshot.credentials if self._silent(one))
            bound = _bound(caller, session)
            events = tuple(change("device.revoke", session.account, bound, one) for one in devices)
            return Changes(removed=tuple(one.id for one in devices), events=events), devices

        devices = await self._decide(session, body)
        for device in devices:
            self._tell_removed(caller, session, device)
        return len(devices)

    async def _decide(self, session: Session, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        return await self._parts.store.decide(standing_of(session.account), body)

    def _tell_removed(self, caller: str, session: Session, removed: Credential) -> None:
        event = change(self._removal(removed), session.account, _bound(caller, session), removed)
        template = "notice_device_revoked" if self._silent(removed) else "notice_credential_removed"
        self._parts.notices.tell(template, event, removed.label, gone=(removed,))

    def _removal(self, credential: Credential) -> str:
        return "device.revoke" if self._silent(credential) else "credential.remove"

    def _mail(self) -> FactorFacade | None:
        """The factor of the security email: the last resort that writes to a mailbox."""
        found = (one for one in self._parts.factors.values() if one.plugin.last_resort)
        return next((one for one in found if one.plugin.medium is Medium.MAILBOX), None)

    def _silent(self, credential: Credential) -> bool:
        facade = self._parts.factors.get(credential.factor)
        return facade is not None and facade.plugin.silent

    def _signs_in(self, credential: Credential) -> bool:
        facade = self._parts.factors.get(credential.factor)
        return facade is not None and is_full(facade.plugin)

    def _left(self, credential: Credential) -> int | None:
        facade = self._parts.factors.get(credential.factor)
        return None if facade is None else facade.uses_left(credential.state)


def _is_sign_in(event: AuditEvent) -> bool:
    return event.event.startswith("login.") and event.result in _ENDS


def _one(held: tuple[Credential, ...], credential_id: str) -> Credential:
    found = next((one for one in held if one.id == credential_id), None)
    if found is None:
        raise NotFound("There is no such credential on your account.")
    return found


def _bound(caller: str, session: Session) -> str:
    """The caller with the session: what a ticket is bound to, and what the audit shows."""
    return f"{caller} session={session.reference}"
