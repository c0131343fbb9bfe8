"""Makes a store that came out of a backup safe: what was spent or revoked since counts no more (STO-06).

MUST 1: it is one transaction: afterwards the store is as the backup was, or safe, and never in between.
MUST 2: of credentials those alone stay that their factor answers for, in the state that it gives.
MUST 3: what was handed out is dead: sessions, invites, reset codes, and what is made with the epoch's keys:
        tickets, and receipts, whose key may have been withdrawn since the backup.
MUST 4: no daemon that has been running goes on with it: it knows a store by its key check, which is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.keys import SealError
from nightlatch.login.receipt_keys import MARK, Generation
from nightlatch.model import AuditEvent, Credential, Result, Standing
from nightlatch.store.behind import epoch_of
from nightlatch.store.database import Query
from nightlatch.store.opening import EPOCH
from nightlatch.store.rows import FRESH, audit_row, standing_of, standing_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.ports import Clock, Randomness
    from nightlatch.store.chaining import Chaining
    from nightlatch.store.database import Row, Session
    from nightlatch.store.seal import CredentialSeal
    from nightlatch.store.statements import Statements

Judge = Callable[[Credential, float], bytes | None]
"""The state that a credential has from now on; None where it ends. Never raises."""

PAGE = 512
_REASON = "a backup of the store was put back"


@dataclass(slots=True)
class Tally:
    """What became, or would become, of what is in the store."""

    kept: Counter[str] = field(default_factory=Counter)
    """Credentials that stay, by factor."""
    ended: Counter[str] = field(default_factory=Counter)
    """Credentials that end, by factor."""
    sessions: int = 0
    invites: int = 0
    resets: int = 0
    unreadable: int = 0
    """Rows that do not open, or mean nothing. They stay as they are, and let nobody in."""
    without: tuple[str, ...] = ()
    """Accounts, as their directory names them, that had a credential and have none now."""

    @property
    def facts(self) -> str:
        """For the audit."""
        return (
            f"kept={self.kept.total()} ended={self.ended.total()} sessions={self.sessions}"
            f" invites={self.invites} resets={self.resets} without={len(self.without)}"
        )

    @property
    def words(self) -> str:
        """For the audit, by factor."""
        kept = [f"{factor}: {count} kept" for factor, count in sorted(self.kept.items())]
        return ", ".join(kept + [f"{factor}: {count} ended" for factor, count in sorted(self.ended.items())])


@dataclass(frozen=True, slots=True)
class Restoration:
    """One store, open, and nobody else's meanwhile unless it is only looked at."""

    session: Session
    statements: Statements
    seal: CredentialSeal
    chaining: Chaining
    clock: Clock
    randomness: Randomness
    judge: Judge
    progress: Callable[[int, int], None] = lambda _done, _of: None
    """Hears how many credentials were looked at, and how many there are."""

    def survey(self) -> Tally:
        """What `run` would do; nothing is written. Raises DatabaseError."""
        return _Pass(self, write=False).run()

    def run(self, caller: str) -> Tally:
        """Make the store safe; raises DatabaseError, and then nothing was changed unless it says so."""
        self.chaining.begin()
        self.session.begin()
        work = _Pass(self, write=True)
        tally = work.run()
        self.session.write(self._renewal(work.now))
        done = AuditEvent("store.restored", Result.CHANGED, tally.words, "", facts=tally.facts, caller=caller)
        events = [*(replace(event, caller=caller) for event in work.events), done]
        rows = [audit_row(event, work.now) for event in events]
        self.session.write(self.chaining.link(rows, work.now))
        self.session.commit()
        self.chaining.committed()
        self.chaining.sign(self.session, closing=True)
        return tally

    def _renewal(self, now: float) -> list[Query]:
        write = self.statements.dialect.write
        mark = write(
            "insert into meta (name, value) values (?, ?)"
            " on conflict (name) do update set value = excluded.value"
        )
        check = write("update meta set value = ? where name = 'key_check'")
        return [
            Query(mark, (EPOCH, epoch_of(now, self.randomness.bytes(16)))),
            Query(mark, (MARK, Generation(1, now, at_once=True).text())),
            Query(check, (self.seal.key_check(),)),
        ]


class _Pass:
    """One walk through the store."""

    def __init__(self, of: Restoration, *, write: bool) -> None:
        self._of = of
        self._write = write
        self.now = of.clock.now()
        self.tally = Tally()
        self.events: list[AuditEvent] = []
        self._stays: dict[str, bool] = {}
        """By account, whether something is left."""

    def run(self) -> Tally:
        """Go through credentials and standings."""
        [[(count,)]] = self._of.session.read([Query("select count(*) from credentials", ())])
        done = 0
        for rows in self._credential_pages():
            self._credentials(rows)
            done += len(rows)
            self._of.progress(done, count)
        for rows in self._standing_pages():
            self._standings(rows)
        without = [account for account, stays in self._stays.items() if not stays]
        names = self._names(without)
        self.tally.without = tuple(names.get(account, account) for account in without)
        return self.tally

    def _credentials(self, rows: list[Row]) -> None:
        of, changed, ended = self._of, [], []
        for row in rows:
            try:
                credential = of.seal.credential(row)
            except SealError:
                self.tally.unreadable += 1
                self._stays[row[0]] = True  # nobody knows what it is
                continue
            state = of.judge(credential, self.now)
            stays = state is not None
            self._stays[credential.account_id] = self._stays.get(credential.account_id, False) or stays
            (self.tally.kept if stays else self.tally.ended)[credential.factor] += 1
            if state is None:
                ended.append(credential)
            elif state != credential.state:
                changed.append(of.seal.row(replace(credential, state=state)))
        if self._write:
            of.session.write(of.statements.put_credentials.of(changed))
            of.session.write([of.statements.remove(one.account_id, one.id) for one in ended])
            names = self._names([one.account_id for one in ended])
            self.events += [_ended(one, names.get(one.account_id, "")) for one in ended]

    def _standings(self, rows: list[Row]) -> None:
        tally, changed = self.tally, []
        for account_id, text in rows:
            try:
                standing = standing_of(text)
            except ValueError:
                tally.unreadable += 1
                continue
            tally.sessions += len(standing.sessions)
            tally.invites += bool(standing.invite)
            tally.resets += bool(standing.reset)
            over = _over(standing)
            if over != standing:
                changed.append((account_id, standing_text(over), self.now))
        if self._write:
            self._of.session.write(self._of.statements.put_standings.of(changed))

    def _credential_pages(self) -> Iterator[list[Row]]:
        page = self._of.statements.dialect.write(
            "select account_id, credential_id, factor, label, state, created_at, last_used_at, expires_at"
            " from credentials where (account_id, credential_id) > (?, ?)"
            " order by account_id, credential_id limit ?"
        )
        after = ("", "")
        while rows := self._of.session.read([Query(page, (*after, PAGE))])[0]:
            yield rows
            after = (rows[-1][0], rows[-1][1])

    def _standing_pages(self) -> Iterator[list[Row]]:
        page = self._of.statements.dialect.write(
            "select account_id, state from standings"  # noqa: S608  # words of our own
            f" where account_id > ? and state <> '{FRESH}' order by account_id limit ?"
        )
        after = ""
        while rows := self._of.session.read([Query(page, (after, PAGE))])[0]:
            yield rows
            after = rows[-1][0]

    def _names(self, accounts: list[str]) -> dict[str, str]:
        of = self._of
        found: dict[str, str] = {}
        for start in range(0, len(accounts), PAGE):
            query = of.statements.among(of.statements.accounts, accounts[start : start + PAGE])
            found.update(dict(of.session.read([query])[0]))
        return found


def _over(standing: Standing) -> Standing:
    return replace(standing, sessions=(), invite="", invite_expires_at=0.0, reset="", reset_expires_at=0.0)


def _ended(credential: Credential, user: str) -> AuditEvent:
    return AuditEvent(
        "credential.remove",
        Result.CHANGED,
        _REASON,
        "",
        credential.account_id,
        user,
        factor=credential.factor,
        credential_id=credential.id,
    )
