"""Rules are checked when a configuration is loaded, and a reload disturbs no login."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.front_door import Person
from testbed.office import ADMINS, REQUIRED, RULES
from testbed.process import wait_until
from testbed.slapd import group_dn

if TYPE_CHECKING:
    from testbed.office import Office


def reload(office: Office, event: str) -> None:
    """SIGHUP, and wait for what it comes to."""
    before = office.count(event)
    office.daemon.signal(signal.SIGHUP)
    wait_until(lambda: office.count(event) > before, event)


def test_a_reload_with_a_syntax_error_keeps_the_rules_and_says_so(office: Office) -> None:
    """The old configuration stays, whatever is wrong with the new one, and the log says where (POL-05)."""
    with office.daemon.channel() as channel:
        for wrong in (
            "[[policies]\n",
            REQUIRED.replace('users = ["dave"]', 'users = ["!dave"]'),
            REQUIRED.replace('users = ["dave"]', "users = []"),
        ):
            office.write(wrong)
            reload(office, "config.refused")
            assert "nightlatch.toml:" in office.last("config.refused")["problems"][0]
            assert office.ask("explain", "carol")[1]["outlook"] == "observed"
            assert Person(channel, "carol").password().outcome.verdict == login_pb2.VERDICT_GRANTED
        office.write(REQUIRED)
        reload(office, "config.reloaded")
        assert Person(channel, "carol").password().outcome.verdict == login_pb2.VERDICT_REFUSED


def test_a_group_that_does_not_exist_stops_a_start_and_a_reload(office: Office) -> None:
    """Named by the administrators' scope or by a rule, with its place in the file (POL-02)."""
    gone = group_dn("nobody")
    office.write(RULES.replace(ADMINS, gone))
    reload(office, "config.refused")
    (problem,) = office.last("config.refused")["problems"]
    assert f'policy.administrators[0]: no directory has a group "{gone}" (asked: corp).' in problem
    office.daemon.stop()
    office.write(f'{RULES}\n[[policies]]\nname = "x"\nmatch = {{ groups = ["admins", "!{gone}"] }}\n')
    office.daemon.start(ready=False)
    assert office.daemon.wait() == 2
    assert f'policies[3].match.groups[1]: no directory has a group "{gone}"' in office.daemon.log.read_text()


def test_a_directory_that_is_away_stops_no_start(office: Office) -> None:
    """The rule counts, the log says what was not checked, and logins by others are possible."""
    office.daemon.stop()
    office.slapd.stop()
    office.daemon.start()
    assert office.last("policy.group_unchecked")["group"] == ADMINS


def test_a_reload_in_the_middle_of_a_login_counts_for_it(office: Office) -> None:
    """Who was asked for a code under the old rules is judged by the new ones; nothing gets lost (POL-05)."""
    app = office.enroll("alice")
    with office.daemon.channel() as channel:
        open_login = Person(channel).password()
        assert open_login.WhichOneof("kind") == "prompt"
        office.write(RULES.replace('"sudo"] }', '"sudo"] }\nfactors = ["totp"]\ntrusted_device_days = 7'))
        reload(office, "config.reloaded")
        granted = Person(channel).answer(open_login, app.fresh())
        assert granted.outcome.verdict == login_pb2.VERDICT_GRANTED


def test_logins_go_on_while_a_configuration_is_being_loaded(office: Office) -> None:
    """Look-ups of groups may take seconds: who signs in meanwhile is answered under the old rules."""
    app = office.enroll("alice")
    with office.daemon.channel() as channel:
        step = Person(channel).password()
        office.slapd.hang()
        office.daemon.signal(signal.SIGHUP)
        granted = Person(channel).answer(step, app.fresh())
        assert granted.outcome.verdict == login_pb2.VERDICT_GRANTED
        assert office.count("config.reloaded") == 0
        office.slapd.go_on()
        wait_until(lambda: office.count("config.reloaded") == 1, "the reload")


def test_a_service_that_no_rule_names_needs_a_second_factor(office: Office) -> None:
    """Without a rule for everybody, the default stands: required (POL-05)."""
    office.write(f'[[policies]]\nname = "shells"\nmatch = {{ services = ["sshd"], groups = ["{ADMINS}"] }}\n')
    reload(office, "config.reloaded")
    _, carol = office.ask("explain", "carol", "--service", "unheard-of")
    assert carol["requirement"]["rules"] == ["everyone"]
    assert carol["requirement"]["second_factor"] == "required"
    with office.daemon.channel() as channel:
        assert Person(channel, "carol", "unheard-of").password().outcome.verdict == login_pb2.VERDICT_REFUSED
