"""An administrator's desk against a real daemon, slapd, Postfix and SSH."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.front_door import Person
from testbed.process import wait_until
from testbed.slapd import person_dn

if TYPE_CHECKING:
    import grpc

    from testbed.codes import App
    from testbed.second_factors import Resident, World


def code_of(channel: grpc.Channel, person: Resident, app: App) -> login_pb2.Outcome:
    """The outcome of a login with the right password and a right code."""
    return Person(channel, person.name).sign_in(app.fresh())


def guess(channel: grpc.Channel, person: Resident, app: App, times: int) -> login_pb2.Step:
    """Wrong codes behind the right password, three in a login; the last step."""
    somebody = Person(channel, person.name)
    step = somebody.password()
    for _ in range(times):
        if step.HasField("outcome"):
            step = somebody.password()
        step = somebody.answer(step, app.wrong())
    return step


def test_a_disabled_person_is_kept_out_and_told(world: World, person: Resident) -> None:
    """The right code is turned away; the notice comes by mail; enabling lets in; the audit has both."""
    world.enroll(person, "email")
    app = world.totp(person)
    done = world.command("admin", "user", "disable", person.name, "--reason", "laptop stolen", "--yes")
    assert done.returncode == 0, done.stderr
    told = world.mailed(person, person.mailbox, r"Your account is disabled[\s\S]*")
    assert "nobody can sign in with it" in told
    with world.daemon.channel() as channel:
        outcome = code_of(channel, person, app)
        assert outcome.verdict == login_pb2.VERDICT_LOCKED
        assert "disabled" not in outcome.message
        shown = json.loads(world.command("admin", "user", "show", person.name, "--json").stdout)
        assert shown["disable_time"]
        assert world.command("admin", "user", "unlock", person.name).returncode == 1
        assert world.command("admin", "user", "enable", person.name).returncode == 0
        assert code_of(channel, person, app).verdict == login_pb2.VERDICT_GRANTED
    query = "select event, reason from audit where event like 'account.%' order by id"
    assert ("account.disable", "laptop stolen") in world.audit(query)
    assert ("account.enable", "") in world.audit(query)


def test_a_lock_is_told_to_its_victim_once(world: World, person: Resident) -> None:
    """THR-07: somebody who knows the password guesses; the person reads of it, and of each block once."""
    world.enroll(person, "email")
    app = world.totp(person)
    with world.daemon.channel() as channel:
        assert guess(channel, person, app, 6).outcome.verdict == login_pb2.VERDICT_LOCKED
    told = world.mailed(person, person.mailbox, r"The second step of your account is locked[\s\S]*")
    assert "It is locked for one minute." in told
    assert "change it at once" in told
    locked = world.audit("select user_name from audit where event = 'account.lock'")
    assert locked.count((person.name,)) == 1


def test_a_reset_tells_the_mailbox_that_it_took_away(world: World, person: Resident) -> None:
    """ENR-04: nothing is left but an invite, shown once, and the old mailbox hears of it."""
    world.enroll(person, "email")
    world.totp(person)
    done = world.command("credential", "reset", person.name, "--yes", "--json")
    answer = json.loads(done.stdout)
    world.secrets |= {answer["invite"], answer["invite"].replace("-", "")}
    assert {one["factor"] for one in answer["removed"]} == {"email", "totp"}
    assert world.credentials(person) == {}
    world.mailed(person, person.mailbox, r"Your second steps were removed")
    shown = world.command("admin", "user", "show", person.name).stdout
    assert "invite" in shown
    assert answer["invite"] not in shown


def test_who_has_only_an_app_is_told_at_the_directorys_address(world: World, person: Resident) -> None:
    """ENR-04: an app is added: the mail that the directory names has it, in their language."""
    change = f"dn: {person_dn(person.name)}\nchangetype: modify\nreplace: mail\nmail: {person.mailbox}\n-\n"
    world.slapd.modify(f"{change}replace: preferredLanguage\npreferredLanguage: zh-Hans\n")
    text = world.daemon.config.read_text()
    world.daemon.config.write_text(
        text.replace("language_attribute", 'mail_attribute = "mail"\nlanguage_attribute', 1)
    )
    reloads = world.daemon.log.read_text().count('"config.reloaded"')
    world.daemon.signal(signal.SIGHUP)
    wait_until(lambda: world.daemon.log.read_text().count('"config.reloaded"') > reloads, "the reload")
    world.totp(person)
    assert "添加" in world.mailed(person, person.mailbox, r"添加[\s\S]*")
