"""``nightlatch policy``: what it prints, and how it ends."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import admin_pb2, policy_pb2
from testbed.command import nightlatch
from testbed.configuration import Folder
from testbed.fake_policy import FakePolicy, person, serving_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakePolicy]:
    """A daemon that says what a test wants."""
    with serving_policy(FakePolicy(tmp_path / "admin.sock")) as fake:
        yield fake


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A configuration without problems, and all that it names."""
    return Folder(tmp_path)


def piece(*people: policy_pb2.PersonProspects, read: int = 0) -> policy_pb2.ReportPolicyResponse:
    """One message of a report."""
    return policy_pb2.ReportPolicyResponse(read=read or len(people), people=people)


def explanation(outlook: policy_pb2.Outlook.ValueType, groups: int = 0) -> policy_pb2.ExplainPolicyResponse:
    """An explanation of bob's login."""
    requirement = policy_pb2.Requirement(
        second_factor=policy_pb2.SECOND_FACTOR_REQUIRED,
        factors=["recovery", "totp"],
        enrollment=policy_pb2.ENROLLMENT_MODE_SELF,
        rules=["administrators"],
    )
    prospect = policy_pb2.Prospect(outlook=outlook, because="has no credential yet", requirement=requirement)
    prospect.grace.logins_left = 2
    rules = (
        ("administrators", policy_pb2.RULE_OUTCOME_DECIDES),
        ("staff", policy_pb2.RULE_OUTCOME_OUTWEIGHED),
    )
    return policy_pb2.ExplainPolicyResponse(
        account=admin_pb2.Account(directory="corp", stable_id="1", name="bob"),
        handle="uid=bob,dc=example",
        rules=[policy_pb2.ExplainedRule(name=name, outcome=outcome, because="so") for name, outcome in rules],
        prospect=prospect,
        groups_known=True,
        groups=[
            policy_pb2.MemberGroup(id=f"cn=g{n}", name=f"g{n}", via=["ops"] * (n % 2)) for n in range(groups)
        ],
    )


def test_explain_is_a_table_and_a_summary(fake: FakePolicy) -> None:
    """Rules with reasons, what is demanded and by whom, what is left of the grace, groups with the way."""
    fake.explanation = explanation(policy_pb2.OUTLOOK_ENROLLS, groups=2)
    result = nightlatch("policy", "explain", "bob", "--from", "10.1.2.3", "--socket", fake.socket)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "bob (corp, uid=bob,dc=example) at sshd from 10.1.2.3"
    assert "administrators yes so" in lines
    assert "second factor required administrators (strictest of 2)" in lines
    assert "enrolment self, may be put off: 2 more logins" in lines
    assert "ready not yet has no credential yet" in lines
    assert "g1 via ops cn=g1" in lines
    assert "g0 direct cn=g0" in lines


def test_explain_says_by_which_name_somebody_goes(fake: FakePolicy) -> None:
    """Who asks about another name of a person, or another spelling, reads the one that counts."""
    fake.explanation = explanation(policy_pb2.OUTLOOK_READY)
    for asked in ("robert", "BOB"):
        result = nightlatch("policy", "explain", asked, "--socket", fake.socket)
        assert f"{asked} is called bob here: rules and the audit go by bob," in result.stdout
    assert "is called" not in nightlatch("policy", "explain", "bob", "--socket", fake.socket).stdout


def test_explain_counts_many_groups_unless_asked_for_them(fake: FakePolicy) -> None:
    """Ten are listed, more only with --groups."""
    fake.explanation = explanation(policy_pb2.OUTLOOK_READY, groups=11)
    arguments = ("policy", "explain", "bob", "--socket", fake.socket)
    assert "In 11 groups" in nightlatch(*arguments).stdout
    assert "cn=g10" in nightlatch(*arguments, "--groups").stdout


@pytest.mark.parametrize(
    ("outlook", "code"),
    [
        (policy_pb2.OUTLOOK_READY, 0),
        (policy_pb2.OUTLOOK_WEAK, 0),
        (policy_pb2.OUTLOOK_EXEMPT, 0),
        (policy_pb2.OUTLOOK_OBSERVED, 0),
        (policy_pb2.OUTLOOK_LOCKED_OUT, 1),
        (policy_pb2.OUTLOOK_DISABLED, 1),
        (policy_pb2.OUTLOOK_UNSPECIFIED, 1),
    ],
)
def test_explain_ends_with_whether_the_login_would_be_refused(
    fake: FakePolicy, outlook: policy_pb2.Outlook.ValueType, code: int
) -> None:
    """0 and 1, for scripts; what this command does not know is no good news."""
    fake.explanation = explanation(outlook)
    assert nightlatch("policy", "explain", "bob", "--socket", fake.socket, "--json").exit_code == code


def test_explain_asks_for_the_time_that_was_typed(fake: FakePolicy) -> None:
    """With a zone, in UTC; none is now."""
    nightlatch("policy", "explain", "bob", "--at", "2026-03-01T14:02:00+01:00", "--socket", fake.socket)
    nightlatch("policy", "explain", "bob", "--service", "sudo", "--client", "vpn", "--socket", fake.socket)
    first, second = fake.asked
    assert isinstance(first, policy_pb2.ExplainPolicyRequest)
    assert isinstance(second, policy_pb2.ExplainPolicyRequest)
    assert first.time.ToJsonString() == "2026-03-01T13:02:00Z"
    assert (second.service, second.client, second.HasField("time")) == ("sudo", "vpn", False)


def test_a_report_counts_and_names_those_with_a_problem(fake: FakePolicy) -> None:
    """Twenty names of a kind, all with --all; exit code 1 because somebody is locked out."""
    locked = [person(f"p{number:02}", policy_pb2.OUTLOOK_LOCKED_OUT) for number in range(21)]
    fake.report = [
        piece(*locked),
        piece(
            person("alice", policy_pb2.OUTLOOK_READY),
            person("gone", policy_pb2.OUTLOOK_DISABLED),
            person("seen", policy_pb2.OUTLOOK_OBSERVED, otherwise=policy_pb2.OUTLOOK_LOCKED_OUT),
            read=24,
        ),
    ]
    result = nightlatch("policy", "report", "--socket", fake.socket)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert lines[0] == "23 people, and 1 who may not sign in at all"
    assert "ready 1 4.3 % have a factor that counts" in lines
    assert "locked out (21)" in lines
    assert "and 1 more; --all lists them." in lines
    assert "would be refused without observation (1)" in lines
    assert "p20 (corp)" not in result.stdout
    assert "p20 (corp)" in nightlatch("policy", "report", "--all", "--socket", fake.socket).stdout


def test_a_report_for_programs_has_everyone(fake: FakePolicy) -> None:
    """One object; nobody locked out is exit code 0."""
    fake.report = [piece(person("alice", policy_pb2.OUTLOOK_WEAK)), piece(read=1)]
    result = nightlatch("policy", "report", "--json", "--socket", fake.socket)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["people"], report["counts"]["weak"]) == (0, 1, 1)
    assert report["persons"][0]["prospects"][0]["rules"] == ["staff"]
    assert nightlatch("policy", "report", "--json", "--csv", "--socket", fake.socket).exit_code == 2


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_spreadsheet_gets_no_formula(fake: FakePolicy, sign: str) -> None:
    """Names come from directories, and others write those; wide signs count in some countries."""
    fake.report = [piece(person(f'{sign}cmd("x")', policy_pb2.OUTLOOK_READY, "line\nend\x1b"))]
    stdout = nightlatch("policy", "report", "--csv", "--socket", fake.socket).stdout
    (row,) = csv.DictReader(io.StringIO(stdout))
    assert (row["name"], row["because"]) == (f'\'{sign}cmd("x")', "line end\N{REPLACEMENT CHARACTER}")


def test_a_plan_is_checked_before_anything_is_asked(folder: Folder, fake: FakePolicy) -> None:
    """A problem of the file ends it, with its line; nothing is sent."""
    folder.append('[[policies]]\nname = "everyone"\n')
    result = nightlatch("policy", "plan", folder.file, "--socket", fake.socket)
    assert (result.exit_code, fake.asked) == (1, [])
    assert f'{folder.file}:{folder.line("everyone")}  policies[0].name: "everyone" is' in result.stderr


def test_a_plan_sends_the_text_and_what_plugins_declare(folder: Folder, fake: FakePolicy) -> None:
    """And tells who changes from what to what; nobody locked out is exit code 0."""
    now = policy_pb2.Requirement(
        second_factor=policy_pb2.SECOND_FACTOR_REQUIRED,
        factors=["totp"],
        rules=["everyone"],
        trusted_device_days=0,
    )
    then = policy_pb2.Requirement()
    then.CopyFrom(now)
    then.trusted_device_days = 30
    change = policy_pb2.PersonChange(
        account=admin_pb2.Account(directory="corp", name="bob"),
        change=policy_pb2.CHANGE_TERMS,
        places=["sshd"],
        before=policy_pb2.Prospect(outlook=policy_pb2.OUTLOOK_READY, requirement=now),
        after=policy_pb2.Prospect(outlook=policy_pb2.OUTLOOK_READY, requirement=then),
    )
    fake.plan = [policy_pb2.PlanPolicyResponse(read=1200, changes=[change])]
    result = nightlatch("policy", "plan", folder.file, "--socket", fake.socket)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[0] == f"{folder.file} changes something for 1 of 1,200 people."
    assert "bob (corp) sshd devices 0 days devices 30 days" in lines
    (asked,) = fake.asked
    assert isinstance(asked, policy_pb2.PlanPolicyRequest)
    assert asked.configuration == folder.file.read_text()
    assert [(one.name, one.confirmed, one.weak) for one in asked.factors] == [("totp", True, False)]
    fake.plan[0].changes[0].change = policy_pb2.CHANGE_LOCKED_OUT
    assert nightlatch("policy", "plan", folder.file, "--socket", fake.socket).exit_code == 1
