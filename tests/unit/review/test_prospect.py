"""What would become of a person, from what policy demands and what the person has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.model import Standing
from nightlatch.policy.grace import Grace
from nightlatch.policy.model import EnrollmentMode, Observed, Requirement, SecondFactor
from nightlatch.review.model import FactorTraits, Outlook
from nightlatch.review.prospect import Holdings, prospect_of

NOW = 1_700_000_000.0
DAY = 86_400.0
TRAITS = {
    one.name: one
    for one in (
        FactorTraits("app"),
        FactorTraits("sms", weak=True),
        FactorTraits("paper", confirmed=False),
        FactorTraits("device", silent=True),
        FactorTraits("help", weak=True, last_resort=True),
    )
}
ALL = frozenset(TRAITS)
REQUIRED = Requirement(SecondFactor.REQUIRED, ALL, rules=("staff",))
SELF = replace(REQUIRED, enrollment=EnrollmentMode.SELF)
INVITE = replace(REQUIRED, enrollment=EnrollmentMode.INVITE)
INVITED = Standing(invite="a hash", invite_expires_at=NOW + 1)


def outlook(requirement: Requirement, *factors: str, standing: Standing | None = None) -> Outlook:
    """The outlook of somebody with these factors."""
    return prospect_of(requirement, Holdings(factors, standing or Standing(), NOW), TRAITS).outlook


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        (("app",), Outlook.READY),
        (("paper",), Outlook.READY),
        (("sms", "app"), Outlook.READY),
        (("sms",), Outlook.WEAK),
        (("help",), Outlook.WEAK),
        (("sms", "help", "device"), Outlook.WEAK),
        ((), Outlook.LOCKED_OUT),
        (("device",), Outlook.LOCKED_OUT),
        (("unplugged",), Outlook.LOCKED_OUT),
    ],
)
def test_what_a_person_has_decides_where_nothing_can_be_set_up(
    factors: tuple[str, ...], expected: Outlook
) -> None:
    """Weak factors and last resorts want a better one beside them; devices and what is gone are nothing."""
    assert outlook(REQUIRED, *factors) is expected


def test_a_factor_that_policy_does_not_let_count_does_not() -> None:
    """It is told by name, and that it does not count."""
    only_app = replace(REQUIRED, factors=frozenset({"app"}))
    found = prospect_of(only_app, Holdings(("sms",), Standing(), NOW), TRAITS)
    assert found.outlook is Outlook.LOCKED_OUT
    assert found.because.startswith("has sms, which policy does not let count here")
    nobody = replace(REQUIRED, factors=frozenset(), rules=("one", "two"))
    assert "no factor counts for all of one, two" in prospect_of(nobody, found_nothing(), TRAITS).because


def found_nothing() -> Holdings:
    """Somebody new."""
    return Holdings((), Standing(), NOW)


def test_who_may_set_something_up_is_not_locked_out() -> None:
    """By themselves, or with an invite that is open; never with what can not be set up at a login."""
    assert outlook(SELF) is Outlook.ENROLLS
    assert outlook(INVITE) is Outlook.LOCKED_OUT
    assert outlook(INVITE, standing=INVITED) is Outlook.ENROLLS
    assert outlook(INVITE, standing=replace(INVITED, invite_expires_at=NOW)) is Outlook.LOCKED_OUT
    for name in ("paper", "device", "help"):
        assert outlook(replace(SELF, factors=frozenset({name}))) is Outlook.LOCKED_OUT


def test_who_has_another_factor_must_be_able_to_prove_it_first() -> None:
    """A factor is added behind one that can be asked, never behind a last resort or a lost one."""
    only_app = replace(SELF, factors=frozenset({"app"}))
    assert outlook(only_app, "sms") is Outlook.ENROLLS
    assert outlook(only_app, "device") is Outlook.ENROLLS
    assert outlook(only_app, "help") is Outlook.LOCKED_OUT
    assert outlook(only_app, "unplugged") is Outlook.LOCKED_OUT


def test_grace_that_is_left_is_told() -> None:
    """In logins and until when; used up, it is none. It helps where an administrator has to enrol, too."""
    kind = replace(REQUIRED, grace_days=14, grace_logins=3)
    used = Standing(grace_started_at=NOW - DAY, grace_logins=1)
    found = prospect_of(kind, Holdings((), used, NOW), TRAITS)
    assert (found.outlook, found.grace) == (Outlook.ENROLLS, Grace(2, NOW + 13 * DAY))
    assert outlook(kind, standing=replace(used, grace_logins=3)) is Outlook.LOCKED_OUT
    assert outlook(kind, standing=replace(used, grace_started_at=NOW - 14 * DAY)) is Outlook.LOCKED_OUT
    days = prospect_of(replace(kind, grace_logins=0), found_nothing(), TRAITS)
    assert days.grace == Grace(None, NOW + 14 * DAY)


def test_what_could_not_be_found_out_is_no_comfort() -> None:
    """A rule that applies only because nobody could find out lets nobody set anything up."""
    assert outlook(replace(SELF, uncertain="corp: did not answer")) is Outlook.LOCKED_OUT
    assert outlook(replace(SELF, uncertain="corp: did not answer"), "app") is Outlook.READY


def test_exemption_and_observation_ask_for_nothing_and_say_what_would_be() -> None:
    """The one with its reason, the other with what would have become of the person."""
    exempt = replace(REQUIRED, second_factor=SecondFactor.SKIP, exemption="a robot")
    assert prospect_of(exempt, found_nothing(), TRAITS).because == "exempt: a robot"
    observed = replace(REQUIRED, second_factor=SecondFactor.OBSERVE, observed=Observed(ALL, ("staff",)))
    found = prospect_of(observed, found_nothing(), TRAITS)
    assert (found.outlook, found.otherwise) == (Outlook.OBSERVED, Outlook.LOCKED_OUT)
