"""What a client does while daemons restart, stop, hang, and lose their answers."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.client import BadCertificate, Expired, Prompt, Unavailable, Verification
from nightlatch.keys import KEY_BYTES
from testbed.authority import Order, write_whole
from testbed.losing import LosingWire
from testbed.ports import free_port
from testbed.process import wait_until
from testbed.shop import SAN, Shop
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.postgres import Postgres
    from testbed.slapd import Slapd


@pytest.fixture
def two(open_folder: Path, slapd: Slapd, postgres: Postgres) -> Iterator[tuple[Shop, Shop]]:
    """Two daemons that share a database and a key."""
    key = open_folder / "client-shared.key"
    key.touch(mode=0o600)
    key.write_bytes(b"\x07" * KEY_BYTES)
    store = f'[store]\nurl = "{postgres.url(postgres.create_database())}"\nkey_file = "{key}"\n'
    first = Shop(open_folder, slapd, store=store)
    both = (first, Shop(open_folder, slapd, store=store, like=first))
    for shop in both:
        shop.daemon.start()
    yield both
    for shop in both:
        shop.daemon.stop()


def endings(shop: Shop) -> int:
    """How many verifications and logins have ended, by the daemon's log."""
    return sum(event["event"] == "login.ended" for event in shop.daemon.events())


def test_a_restart_in_the_middle_is_waited_for(shop: Shop) -> None:
    """Killed and started again while the call is under way: it takes a moment longer, and is right."""
    app = shop.enroll()
    with shop.client() as mfa, ThreadPoolExecutor() as pool:
        assert not mfa.verify_code("alice", "000000").verified
        shop.daemon.kill()
        under_way = pool.submit(mfa.verify_code, "alice", app.fresh())
        shop.daemon.start()
        assert under_way.result().verified


def test_the_right_code_is_verified_although_its_answer_was_lost(shop: Shop) -> None:
    """The daemon has spent the code; the same request_id brings the same answer, not a replay."""
    app = shop.enroll()
    with (
        LosingWire(shop.installation.port) as wire,
        ThreadPoolExecutor() as pool,
        shop.client(f"localhost:{wire.port}") as mfa,
    ):
        assert not mfa.verify_code("alice", "000000").verified
        before = endings(shop)
        wire.lose()
        code = app.fresh()
        under_way = pool.submit(mfa.verify_code, "alice", code)
        wait_until(lambda: endings(shop) > before, "the daemon's decision")
        wire.cut()
        assert under_way.result().verified
        assert mfa.verify_code("alice", code).verification is Verification.WRONG


async def test_the_async_client_asks_again_too(shop: Shop) -> None:
    """The same with asyncio: a lost answer, then a restart."""
    app = shop.enroll()
    with LosingWire(shop.installation.port) as wire:
        async with shop.async_client(f"localhost:{wire.port}") as mfa:
            assert not (await mfa.verify_code("alice", "000000")).verified
            before = endings(shop)
            wire.lose()

            def cut() -> None:
                wait_until(lambda: endings(shop) > before, "the daemon's decision")
                wire.cut()

            cutting = threading.Thread(target=cut)
            cutting.start()
            assert (await mfa.verify_code("alice", app.fresh())).verified
            cutting.join()
            shop.daemon.kill()
            starting = threading.Thread(target=shop.daemon.start)
            starting.start()
            assert (await mfa.verify_code("alice", app.fresh())).verified
            starting.join()


def test_an_answer_of_a_login_is_never_sent_twice(shop: Shop) -> None:
    """Its reply was lost: unavailable, and one decision at the daemon; the ticket is spent."""
    app = shop.enroll()
    with (
        LosingWire(shop.installation.port) as wire,
        ThreadPoolExecutor() as pool,
        shop.client(f"localhost:{wire.port}") as mfa,
    ):
        step = mfa.begin_login("alice", service="shop", established=True)
        assert isinstance(step, Prompt)
        before = endings(shop)
        wire.lose()
        under_way = pool.submit(mfa.answer_login, "alice", step.ticket, app.fresh())
        wait_until(lambda: endings(shop) > before, "the daemon's decision")
        wire.cut()
        with pytest.raises(Unavailable):
            under_way.result()
        assert endings(shop) == before + 1
        with pytest.raises(Expired):
            mfa.answer_login("alice", step.ticket, "000000")


def test_a_login_goes_on_behind_a_restart(shop: Shop) -> None:
    """The daemon is killed while the person looks for the code: the answer waits for the new one."""
    app = shop.enroll()
    starting: list[threading.Thread] = []

    def ask(_prompt: Prompt) -> str:
        shop.daemon.kill()
        starting.append(threading.Thread(target=shop.daemon.start))
        starting[0].start()
        return app.fresh()

    with shop.client() as mfa:
        assert mfa.login("alice", password_of("alice"), service="shop", ask=ask).granted
    starting[0].join()


def test_nobody_there_is_unavailable_in_time(shop: Shop) -> None:
    """The call ends within its time, and its words name the daemon."""
    begun = time.monotonic()
    with (
        shop.client(f"localhost:{free_port()}", timeout=1) as mfa,
        pytest.raises(Unavailable, match="localhost:"),
    ):
        mfa.verify_code("alice", "000000")
    assert time.monotonic() - begun < 8


def test_an_outage_behind_the_daemon_is_asked_again_until_it_is_over(shop: Shop, slapd: Slapd) -> None:
    """RetryInfo is honoured: the directory comes back, and the same call ends well; else it says when."""
    app = shop.enroll()
    slapd.stop()
    with shop.client(timeout=20) as mfa, ThreadPoolExecutor() as pool:
        with pytest.raises(Unavailable) as away:
            mfa.verify_code("alice", "000000", timeout=1)
        assert away.value.retry_after == 1
        under_way = pool.submit(mfa.verify_code, "alice", app.fresh(earliest=0))
        slapd.start()
        assert under_way.result().verified


def test_the_second_daemon_takes_over(two: tuple[Shop, Shop]) -> None:
    """A stopped daemon costs nothing, a hanging one a share of the time, once; both are passed over then."""
    first, second = two
    app = first.enroll()
    with first.client(first.target, second.target, timeout=10) as mfa:
        assert not mfa.verify_code("alice", "000000").verified
        wait_until(lambda: endings(first) == 1, "the first daemon's log")
        first.daemon.signal(signal.SIGSTOP)
        begun = time.monotonic()
        assert mfa.verify_code("alice", app.fresh()).verified
        assert time.monotonic() - begun > 4
        begun = time.monotonic()
        assert not mfa.verify_code("alice", "000000").verified
        assert time.monotonic() - begun < 4, "the hanging daemon was asked again"
        first.daemon.signal(signal.SIGCONT)
        first.daemon.stop()
    with first.client(first.target, second.target) as mfa:
        begun = time.monotonic()
        assert mfa.verify_code("alice", app.fresh()).verified
        assert time.monotonic() - begun < 4
    wait_until(lambda: endings(second) == 3, "the second daemon's log")
    first.daemon.start()


def test_an_answer_lost_at_one_daemon_comes_from_the_other(two: tuple[Shop, Shop]) -> None:
    """The request_id is in the store that both share."""
    first, second = two
    app = first.enroll()
    with (
        LosingWire(first.installation.port) as wire,
        ThreadPoolExecutor() as pool,
        first.client(f"localhost:{wire.port}", second.target) as mfa,
    ):
        assert not mfa.verify_code("alice", "000000").verified
        wire.lose()
        under_way = pool.submit(mfa.verify_code, "alice", app.fresh())
        wait_until(lambda: endings(first) > 1, "the daemon's decision")
        wire.cut()
        assert under_way.result().verified
    wait_until(lambda: endings(second) == 1, "the second daemon's log")


def test_a_certificate_renewed_on_disk_is_used(shop: Shop) -> None:
    """The daemon cuts off the old one; the client reads its files again, and nobody notices."""
    app = shop.enroll()
    authority = shop.installation.authority
    with shop.client(pair=authority.sign("other", Order(("dns:other.example.com",)))) as mfa:
        with pytest.raises(Unavailable, match="hung up"):
            mfa.verify_code("alice", "000000", timeout=1)
        renewed = authority.sign("renewed", Order((SAN,)))
        for old, new in (("other.crt", renewed.certificate), ("other.key", renewed.key)):
            write_whole(renewed.key.parent / old, new.read_bytes())
        assert mfa.verify_code("alice", app.fresh()).verified


def test_a_daemon_with_a_foreign_certificate_is_not_waited_for(shop: Shop) -> None:
    """Another CA, or another name: words that help, at once."""
    pair = shop.pair
    begun = time.monotonic()
    with (
        type(shop.client())(
            shop.target, cert=pair.certificate, key=pair.key, ca=shop.installation.authority.file
        ) as mfa,
        pytest.raises(BadCertificate, match="no CA in the ca file"),
    ):
        mfa.verify_code("alice", "000000")
    with (
        shop.client(f"127.0.0.1:{shop.installation.port}") as mfa,
        pytest.raises(BadCertificate, match="for another name"),
    ):
        mfa.verify_code("alice", "000000")
    assert time.monotonic() - begun < 8
