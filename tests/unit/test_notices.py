"""Where notices go beside proven addresses: to the mail address that the directory has of the person."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from nightlatch.errors import Unavailable
from nightlatch.factor import Reach
from nightlatch.model import Account, AuditEvent, Contact, Result
from nightlatch.notices import DirectoryMail, Notices
from testbed.core import ALICE, World

EVENT = AuditEvent("credential.add", Result.CHANGED, "", "", ALICE.id, "alice", credential_id="new")


class Desk:
    """Alice, whom the directory knows with what a test gives her."""

    def __init__(self, *mails: str, language: str = "") -> None:
        self.world = World()
        self.world.store.held[ALICE.id].clear()
        self.account: Account | None = replace(ALICE, contact=Contact(mails=mails, language=language))
        self.away = False
        self.asked: list[tuple[str, str]] = []
        self.notices = self.with_mail(DirectoryMail(self._find, ("post",)))

    def with_mail(self, mail: DirectoryMail | None) -> Notices:
        """Notices that may use the directory's address."""
        parts = self.world.parts
        return Notices(
            parts.sender,
            parts.factors,
            self.world.store,
            self.world.clock,
            structlog.get_logger(),
            directory_mail=mail,
        )

    async def _find(self, directory: str, name: str) -> Account | None:
        self.asked.append((directory, name))
        if self.away:
            raise Unavailable("directory corp", "is away")
        return self.account

    async def told(self, event: AuditEvent = EVENT) -> list[str]:
        """The addresses that are told of an event, in order of the alphabet."""
        self.notices.tell("notice_credential_added", event)
        await self.notices.close()
        return sorted(address for address, _ in self.world.post.sent)


async def test_somebody_with_only_an_app_is_told_at_the_directorys_address() -> None:
    """The first address is told, once, in the directory's language."""
    desk = Desk("alice@example.com", "a.second@example.com", language="zh-Hans")
    desk.world.give("c1", "word")
    assert await desk.told() == ["alice@example.com"]
    assert desk.asked == [("corp", "alice")]
    assert desk.world.post.sent[0][1].language == "zh-Hans"


async def test_proven_addresses_are_told_as_well() -> None:
    """The factor's own address and the directory's are two."""
    desk = Desk("alice@example.com")
    desk.world.give("c1", "sent")
    assert await desk.told() == ["+1555", "alice@example.com"]


@pytest.mark.parametrize("identity", ["c1", "new"])
async def test_an_address_that_is_known_otherwise_is_not_told_twice(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENR-04: not as that of a factor, in whatever case, and not where it is the one being added."""
    desk = Desk("ALICE@example.com")
    desk.world.give(identity, "sent")
    facade = desk.world.parts.factors["sent"]
    monkeypatch.setattr(facade, "reach", lambda _state: Reach(("post",), "alice@example.com"))
    assert await desk.told() == (["alice@example.com"] if identity == "c1" else [])


@pytest.mark.parametrize(
    "mail", ["", "alice", "a b@example.com", "a@b@example.com", "a@ex\u00e4mple.com", "x@y\r\n"]
)
async def test_what_is_no_plain_address_is_told_nothing(mail: str) -> None:
    """Whoever can write the entry writes no headers."""
    assert await Desk(mail).told() == []


async def test_somebody_else_of_that_name_is_not_told() -> None:
    """The name has changed hands: the account's id is another one."""
    desk = Desk()
    desk.account = Account("corp", "id-of-another", "alice", contact=Contact(mails=("new@example.com",)))
    assert await desk.told() == []


async def test_a_directory_that_is_away_keeps_nobody_from_proven_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The look-up fails: the log says so, and the others are told."""
    desk = Desk("alice@example.com")
    desk.away = True
    desk.world.give("c1", "sent")
    assert await desk.told() == ["+1555"]
    assert "notice.not_sent" in capsys.readouterr().out


async def test_the_directorys_address_is_not_told_where_it_is_switched_off() -> None:
    """`directory_mail = false`, or no channel for mail: nobody is asked, or nobody is told."""
    desk = Desk("alice@example.com")
    desk.notices = desk.with_mail(None)
    assert await desk.told() == []
    assert desk.asked == []
    desk.notices = desk.with_mail(DirectoryMail(desk._find, ()))
    assert await desk.told() == []
