"""What a group of decisions sees and changes: the rows that were locked for it, in memory.

MUST 1: a decision sees what an earlier one of its group changed, so that one code is accepted once.
MUST 2: a decision changes only what its request named, and all of it or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Invalid, Refused, Unavailable
from nightlatch.keys import SealError
from nightlatch.model import Credential, LimitState, Snapshot, Standing
from nightlatch.store.rows import FRESH, audit_row, limit_state, limit_text, standing_of, standing_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.model import Account, Changes, DecisionRequest
    from nightlatch.store.chaining import Chaining
    from nightlatch.store.database import Query, Row, Session
    from nightlatch.store.seal import CredentialSeal
    from nightlatch.store.statements import Statements

SPENT_FOR = 600.0
"""How long a spent key is remembered; what it guards must be dead by then."""
LONGEST_VALUE = 1024
"""Characters that may be remembered with a spent key."""
MALFORMED_STANDING = "an account's standing is malformed"
_FRESH_STANDING = Standing()


class GroupView:
    """The rows of one group. One thread at a time uses it."""

    def __init__(self, statements: Statements, seal: CredentialSeal) -> None:
        self._statements = statements
        self._seal = seal
        self._limits: dict[str, LimitState | None] = {}
        self._standings: dict[str, Standing | None] = {}
        self._sealed: dict[str, list[Row]] = {}
        self._open: dict[str, dict[str, Credential]] = {}
        self._names: dict[str, str] = {}
        self._spent: dict[str, str] = {}
        self._marks: dict[str, str] = {}
        self._new_limits: dict[str, LimitState] = {}
        self._new_standings: dict[str, str] = {}
        self._new_credentials: dict[tuple[str, str], Credential | None] = {}
        self._new_accounts: dict[str, Account] = {}
        self._new_spent: dict[str, tuple[float, str]] = {}
        self._new_marks: dict[str, str] = {}
        self._new_audit: list[tuple[object, ...]] = []

    def load(self, session: Session, requests: Iterable[DecisionRequest], now: float) -> None:
        """Lock and read all that the requests name: limits, standings, credentials, marks, each in order.

        Where rows are locked, those that are missing are made first, in the same order: whoever locks has
        passed all that others make, so that two daemons never wait for each other.
        """
        requests = list(requests)
        scopes = sorted({scope for request in requests for scope in request.scopes})
        accounts = sorted({request.account_id for request in requests if request.account_id})
        standing = sorted({request.account_id for request in requests if _wants_standing(request)})
        named = sorted({request.account.id for request in requests if request.account is not None})
        keys = sorted({request.spend_key for request in requests if request.spend_key})
        marks = sorted({request.mark for request in requests if request.mark})
        of = self._statements
        # A row must be there to be locked.
        first = of.new_limits.of([(scope, FRESH, now) for scope in scopes]) if of.dialect.lock else []
        if standing and of.dialect.lock:
            first += of.new_standings.of([(account_id, FRESH, now) for account_id in standing])
        if marks and of.dialect.lock:
            first += of.new_marks.of([(name, "") for name in marks])
        wanted = [
            (of.limits, scopes, self._load_limit),
            (of.standings_locked, standing, self._load_standing),
            (of.credentials_locked, accounts, self._load_credential),
            (of.accounts, named, self._load_name),
            (of.spent, keys, self._load_spent),
            (of.marks_locked, marks, self._load_mark),
        ]
        wanted = [entry for entry in wanted if entry[1]]
        self._limits = dict.fromkeys(scopes, LimitState())
        results = session.read(first + [of.among(sql, names) for sql, names, _ in wanted])
        for (_, _, take), rows in zip(wanted, results[len(first) :], strict=True):
            for row in rows:
                take(row)

    def snapshot(self, request: DecisionRequest, now: float) -> Snapshot:
        """What the decision may look at; raises Unavailable where its rows do not open."""
        return Snapshot(
            now=now,
            limits={scope: self._limit(scope) for scope in request.scopes},
            credentials=lasting(self._credentials(request.account_id), now) if request.account_id else (),
            spent=request.spend_key in self._spent,
            spent_value=self._spent.get(request.spend_key, ""),
            standing=self._standing(request.account_id) if _wants_standing(request) else _FRESH_STANDING,
            mark=self._marks.get(request.mark, ""),
        )

    def apply(self, request: DecisionRequest, changes: Changes, now: float) -> None:
        """Take a decision's changes over; raises, and takes nothing, when they are not its to make."""
        self._check(request, changes)
        audit = [audit_row(event, now) for event in changes.events]  # what can still fail comes first
        standing = FRESH if changes.standing is None else standing_text(changes.standing)
        for scope, state in changes.limits.items():
            if self._limits[scope] != state:
                self._limits[scope] = self._new_limits[scope] = state
        if changes.standing is not None:
            self._standings[request.account_id] = changes.standing
            self._new_standings[request.account_id] = standing
        if changes.put or changes.removed:
            self._apply_credentials(request.account_id, changes)
        if request.account is not None and self._names.get(request.account.id) != request.account.name:
            self._names[request.account.id] = request.account.name
            self._new_accounts[request.account.id] = request.account
        if changes.spend:
            self._spent[request.spend_key] = changes.spent_value
            self._new_spent[request.spend_key] = (now + SPENT_FOR, changes.spent_value)
        if changes.mark is not None:
            self._marks[request.mark] = self._new_marks[request.mark] = changes.mark
        self._new_audit += audit

    def writes(self, now: float, chaining: Chaining) -> list[Query]:
        """The statements that write what was changed, in the order in which everybody writes."""
        of, queries = self._statements, []
        if self._new_limits:
            rows = [(scope, limit_text(self._new_limits[scope]), now) for scope in sorted(self._new_limits)]
            queries += of.put_limits.of(rows)
        if self._new_standings:
            standings = sorted(self._new_standings.items())
            queries += of.put_standings.of([(account_id, text, now) for account_id, text in standings])
        if self._new_credentials:
            queries += self._credential_writes()
        if self._new_accounts:
            people = [self._new_accounts[account_id] for account_id in sorted(self._new_accounts)]
            queries += of.put_accounts.of(
                [(one.id, one.directory, one.stable_id, one.name, now) for one in people]
            )
        if self._new_spent:
            queries += of.spend.of([(key, *self._new_spent[key]) for key in sorted(self._new_spent)])
        if self._new_marks:
            queries += of.put_marks.of(sorted(self._new_marks.items()))
        if self._new_audit:
            queries += chaining.link(self._new_audit, now)
        return queries

    def _credential_writes(self) -> list[Query]:
        of, queries, rows = self._statements, [], []
        for (account_id, credential_id), credential in sorted(self._new_credentials.items(), key=_key):
            if credential is None:
                queries.append(of.remove(account_id, credential_id))
            else:
                rows.append(self._seal.row(credential))
        return queries + of.put_credentials.of(rows)

    def _apply_credentials(self, account_id: str, changes: Changes) -> None:
        held = self._credentials(account_id)
        for credential_id in changes.removed:
            del held[credential_id]
            self._new_credentials[account_id, credential_id] = None
        for credential in changes.put:
            held[credential.id] = credential
            self._new_credentials[account_id, credential.id] = credential

    def _check(self, request: DecisionRequest, changes: Changes) -> None:
        if not changes.limits.keys() <= set(request.scopes):
            raise Invalid("a decision changes a limit that it did not ask for")
        if changes.standing is not None and not _wants_standing(request):
            raise Invalid("a decision changes a standing that it did not ask for")
        if any(credential.account_id != request.account_id for credential in changes.put):
            raise Invalid("a decision changes a credential of another account")
        if changes.removed and not set(changes.removed) <= self._credentials(request.account_id).keys():
            raise Invalid("a decision removes a credential that is not there")
        if changes.mark is not None and not request.mark:
            raise Invalid("a decision changes a mark that it did not ask for")
        if changes.spend and not request.spend_key:
            raise Invalid("a decision spends a key that it did not name")
        if len(changes.spent_value) > LONGEST_VALUE:
            raise Invalid("a decision remembers more than fits beside a spent key")
        if changes.spend and request.spend_key in self._spent:
            raise Refused("the one-time key was spent before")

    def _limit(self, scope: str) -> LimitState:
        state = self._limits[scope]
        if state is None:
            raise Unavailable("store", "a limit's row is malformed")
        return state

    def _standing(self, account_id: str) -> Standing:
        standing = self._standings.get(account_id, _FRESH_STANDING)
        if standing is None:
            raise Unavailable("store", MALFORMED_STANDING)
        return standing

    def _credentials(self, account_id: str) -> dict[str, Credential]:
        held = self._open.get(account_id)
        if held is None:
            held = self._open[account_id] = opened(self._seal, self._sealed.get(account_id, ()))
        return held

    def _load_limit(self, row: Row) -> None:
        try:
            self._limits[row[0]] = limit_state(row[1])
        except ValueError:
            self._limits[row[0]] = None

    def _load_standing(self, row: Row) -> None:
        try:
            self._standings[row[0]] = standing_of(row[1])
        except ValueError:
            self._standings[row[0]] = None

    def _load_credential(self, row: Row) -> None:
        self._sealed.setdefault(row[0], []).append(row)

    def _load_name(self, row: Row) -> None:
        self._names[row[0]] = row[1]

    def _load_spent(self, row: Row) -> None:
        self._spent[row[0]] = row[1]

    def _load_mark(self, row: Row) -> None:
        self._marks[row[0]] = row[1]


def opened(seal: CredentialSeal, rows: Iterable[Row]) -> dict[str, Credential]:
    """One account's credentials by id, oldest first; raises Unavailable when one does not open."""
    try:
        found = [seal.credential(row) for row in rows]
    except SealError as error:
        raise Unavailable("store", "a credential does not open: its row was changed or moved") from error
    found.sort(key=lambda credential: (credential.created_at, credential.id))
    return {credential.id: credential for credential in found}


def lasting(credentials: dict[str, Credential], now: float) -> tuple[Credential, ...]:
    """Those that have not expired. The others count nowhere, until the pruner removes them."""
    return tuple(one for one in credentials.values() if one.expires_at is None or now < one.expires_at)


def _wants_standing(request: DecisionRequest) -> bool:
    return request.standing and bool(request.account_id)


def _key(item: tuple[tuple[str, str], Credential | None]) -> tuple[str, str]:
    return item[0]
