"""nightlatch.client with factors that send, and with trusted devices: over TLS, with real mail."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.client import Client, Expired, Prompt, TooMany
from testbed.authority import Authority, Order
from testbed.ports import free_port
from testbed.second_factors import DIGITS
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.second_factors import Resident, World


@pytest.fixture(scope="module")
def portal(world: World, open_folder: Path) -> Iterator[Client]:
    """An application that may verify and log in, of the world's daemon."""
    folder = Path(tempfile.mkdtemp(prefix="portal-", dir=open_folder))
    port = free_port()
    authority = Authority(folder, "ca")
    server = authority.sign("server", Order(("dns:localhost",), usages=()))
    pair = authority.sign("portal", Order(("dns:portal.example.com",)))
    table = f"""
[listeners.applications]
address = "127.0.0.1:{port}"
certificate_file = "{server.certificate}"
key_file = "{server.key}"
client_ca_file = "{authority.file}"
[[clients]]
name = "portal"
san = "dns:portal.example.com"
methods = ["login", "verification"]
may_know_enrollment = true
"""
    world.configure(extra=table)
    world.daemon.stop()
    world.daemon.start()
    with Client(f"localhost:{port}", cert=pair.certificate, key=pair.key, ca=authority.file) as client:
        yield client


def test_a_sent_code_is_verified_with_its_ticket(portal: Client, world: World, person: Resident) -> None:
    """The masked address is told; the ticket is good for one answer, and for its own person."""
    world.enroll(person, "email")
    sent = portal.send_code(person.name, "email")
    assert "•" in sent.prompt
    assert person.mailbox not in sent.prompt
    assert "again" not in sent.prompt  # to send again is another call, and "r" a wrong code
    code = world.mailed(person, person.mailbox, DIGITS)
    with pytest.raises(Expired):
        portal.verify_code("nobody", code, ticket=sent.ticket)
    result = portal.verify_code(person.name, code, ticket=sent.ticket)
    assert (result.verified, result.factor, result.user) == (True, "email", person.name)
    with pytest.raises(Expired):
        portal.verify_code(person.name, code, ticket=sent.ticket)
    assert not portal.verify_code(person.name, code).verified


def test_who_was_sent_enough_is_told_when_to_ask_again(
    portal: Client, world: World, person: Resident
) -> None:
    """The limit on messages is an error of its own, and no outage; nothing is tried again within the call."""
    world.enroll(person, "email")

    def until_it_is_enough() -> None:
        for _ in range(10):
            portal.send_code(person.name, "email")

    with pytest.raises(TooMany) as enough:
        until_it_is_enough()
    assert enough.value.retry_after > 10


def test_a_device_that_a_login_has_trusted_is_trusted(portal: Client, world: World, person: Resident) -> None:
    """The token comes with the login's end, is changed by its use, and spares the code in the next login."""
    world.enroll(person, "email")
    app = world.totp(person)
    asked: list[Prompt] = []

    def ask(prompt: Prompt) -> str:
        asked.append(prompt)
        return app.fresh() if len(asked) == 1 else "y"

    def trusting(token: str = "") -> str:
        done = portal.login(
            person.name,
            password_of(person.name),
            service="portal",
            ask=ask,
            device_token=token,
            keeps_device_token=True,
        )
        assert done.granted
        return done.device_token

    token = trusting()
    assert "Trust this device" in asked[1].text
    device = portal.check_device(person.name, token)
    assert device.trusted
    assert device.device_token not in {"", token}
    assert portal.check_device("nobody", device.device_token).trusted is False
    last = trusting(device.device_token)
    assert len(asked) == 2, "a trusted device was asked for a code"
    for secret in (token, device.device_token, last):
        world.secrets |= {secret, secret.partition(".")[2]} - {""}
