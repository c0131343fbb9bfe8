"""``nightlatch policy`` against a real daemon and a real slapd with nested groups."""

from __future__ import annotations

import csv
import io
import json
import signal
from typing import Any

import grpc
import pytest

from nightlatch.v1 import login_pb2, policy_pb2, policy_pb2_grpc
from testbed.front_door import Person
from testbed.office import ADMINS, REQUIRED, RULES, Office
from testbed.process import wait_until
from testbed.slapd import group_dn


def outlooks(report: dict[str, Any]) -> dict[str, str]:
    """Each person's outlook in a report."""
    return {one["account"]["name"]: one["outlook"] for one in report["persons"]}


def test_explain_tells_rules_result_and_how_each_group_was_found(common_office: Office) -> None:
    """Any spelling of the name; nested groups with the way to them; who has nothing would be refused."""
    code, bob = common_office.ask("explain", " BOB", "--from", "10.1.2.3")
    assert (code, bob["account"]["name"], bob["outlook"]) == (1, "bob", "locked_out")
    rules = {one["name"]: one for one in bob["rules"]}
    assert rules["administrators"]["outcome"] == "decides"
    assert rules["administrators"]["because"].startswith("member of admins via ops")
    assert rules["staff"]["outcome"] == "outweighed"
    assert (rules["robots"]["outcome"], rules["robots"]["because"]) == ("no", "bob is not named")
    groups = {one["id"]: one["via"] for one in bob["groups"]}
    assert groups == {group_dn("ops"): [], group_dn("admins"): ["ops"]}
    told = common_office.tell("explain", "alice", "--service", "sudo")
    assert told.returncode == 0
    words = [line.split() for line in told.stdout.splitlines()]
    assert ["factors", "totp"] in words
    assert ["ready", "yes", "has", "totp"] in words
    assert ["everyone", "no", "the", "default,", "for", "where", "no", "other", "rule", "decides"] in words


def test_explain_tells_exemptions_and_observation(common_office: Office) -> None:
    """An exempt person is told with the reason, an observed one with what would be refused."""
    code, dave = common_office.ask("explain", "dave")
    assert (code, dave["outlook"], dave["requirement"]["exemption"]) == (0, "exempt", "dave is a backup job")
    assert {one["name"]: one["outcome"] for one in dave["rules"]}["staff"] == "lifted"
    code, carol = common_office.ask("explain", "carol")
    assert (code, carol["outlook"], carol["otherwise"]) == (0, "observed", "locked_out")


def test_explain_says_so_when_groups_can_not_be_read(office: Office) -> None:
    """The rule then applies, and the reason is there; a directory that is away as a whole is exit code 3."""
    office.write(RULES, more="group_depth = 1")  # bob's are two levels deep
    office.daemon.signal(signal.SIGHUP)
    wait_until(lambda: office.count("config.reloaded") == 1, "the reload")
    _, bob = office.ask("explain", "bob")
    administrators = bob["rules"][0]
    assert (administrators["outcome"], administrators["uncertain"]) == ("decides", True)
    assert bob["groups"] is None
    assert bob["groups_unknown"] in administrators["because"]
    assert "so it applies" in office.tell("explain", "bob").stdout
    office.slapd.stop()
    code, failed = office.ask("explain", "carol")
    assert (code, failed["error"]["status"]) == (3, "UNAVAILABLE")


def test_an_unknown_person_is_told_as_such(common_office: Office) -> None:
    """Exit code 1, and words; a time that is none is wrong use."""
    assert common_office.ask("explain", "mallory")[0] == 1
    assert common_office.tell("explain", "alice", "--at", "yesterday").returncode == 2


def test_report_counts_everyone_by_the_gravest_that_would_become_of_them(office: Office) -> None:
    """Ready, locked out, observed and exempt, over all services; exit code 1 while somebody is locked out."""
    office.enroll("alice")
    code, report = office.ask("report")
    assert code == 1
    assert outlooks(report) == {
        "alice": "observed",
        "bob": "locked_out",
        "carol": "observed",
        "dave": "exempt",
    }
    assert report["observed_to_be_refused"] == 2
    places = {one["account"]["name"]: one["prospects"] for one in report["persons"]}
    assert [one["places"] for one in places["bob"]] == [["sshd", "sudo"], ["any other service"]]
    code, at_sshd = office.ask("report", "--service", "sshd")
    assert outlooks(at_sshd)["alice"] == "ready"
    office.enroll("bob")
    code, at_sshd = office.ask("report", "--service", "sshd")
    assert (code, at_sshd["counts"]["locked_out"], at_sshd["counts"]["ready"]) == (0, 0, 2)


def test_report_can_be_about_one_rule_and_in_csv(common_office: Office) -> None:
    """Only whom the rule concerns, only where it does; a spreadsheet gets a line for each."""
    _, report = common_office.ask("report", "--rule", "administrators")
    assert set(outlooks(report)) == {"alice", "bob"}
    assert {place for one in report["persons"] for each in one["prospects"] for place in each["places"]} == {
        "sshd",
        "sudo",
    }
    rows = list(csv.DictReader(io.StringIO(common_office.tell("report", "--csv").stdout)))
    assert {(row["name"], row["outlook"]) for row in rows} >= {("bob", "locked out"), ("dave", "exempt")}
    code, failed = common_office.ask("report", "--rule", "administrator")
    assert (code, "Known: administrators, staff, robots" in failed["error"]["message"]) == (1, True)


def test_report_says_so_when_a_directory_is_away(office: Office) -> None:
    """Exit code 3 and no table: a part of the people is no report."""
    office.slapd.stop()
    told = office.tell("report")
    assert (told.returncode, told.stdout) == (3, "")


def test_plan_tells_what_changes_for_whom_before_the_reload(common_office: Office) -> None:
    """Observed people who would be locked out, and the running rules are untouched by all that."""
    required = common_office.planned(REQUIRED)
    code, plan = common_office.ask("plan", required)
    changes = {one["account"]["name"]: one for one in plan["changes"]}
    assert (code, plan["people"], set(changes)) == (1, 4, {"alice", "bob", "carol"})
    assert changes["carol"]["change"] == "locked_out"
    assert (changes["carol"]["before"]["outlook"], changes["carol"]["after"]["outlook"]) == (
        "observed",
        "locked_out",
    )
    assert changes["alice"]["change"] == "asked_more"
    assert changes["alice"]["places"] == ["any other service"]
    assert common_office.ask("explain", "carol")[1]["outlook"] == "observed"
    told = common_office.tell("plan", required)
    assert (told.returncode, "carol (corp)" in told.stdout) == (1, True)


def test_a_plan_that_changes_nothing_or_locks_nobody_out_is_fine(common_office: Office) -> None:
    """Exit code 0 for both."""
    assert common_office.ask("plan", common_office.planned(RULES)) == (
        0,
        {"file": common_office.planned(RULES), "people": 4, "changes": []},
    )
    longer = RULES.replace('second_factor = "observe"', 'second_factor = "observe"\ntrusted_device_days = 30')
    code, plan = common_office.ask("plan", common_office.planned(longer))
    assert (code, {one["change"] for one in plan["changes"]}) == (0, {"terms"})


def test_a_plan_with_problems_is_refused_with_file_and_line(common_office: Office) -> None:
    """POL-02: by the check of the file, and by looking up its groups."""
    typo = common_office.tell(
        "plan", common_office.planned(RULES.replace('users = ["dave"]', 'users = ["!dave"]'))
    )
    assert (typo.returncode, "only says whom the rule leaves out" in typo.stderr) == (1, True)
    gone = common_office.tell("plan", common_office.planned(RULES.replace(ADMINS, group_dn("nobody"))))
    assert gone.returncode == 1
    assert f'no directory has a group "{group_dn("nobody")}"' in gone.stderr
    assert "new.toml:" in gone.stderr


def test_reviews_are_on_the_admin_socket_alone(common_office: Office) -> None:
    """Whoever logs people in learns nothing of who is ready and who is not."""
    with common_office.daemon.channel() as channel:
        service = policy_pb2_grpc.PolicyServiceStub(channel)
        with pytest.raises(grpc.RpcError) as error:
            service.ExplainPolicy(policy_pb2.ExplainPolicyRequest(user="alice"), timeout=15)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_who_was_let_in_without_a_factor_has_signed_in(office: Office) -> None:
    """The last sign-in is that of the audit: an exempt person's and an observed one's, and no refusal."""

    def last(user: str) -> tuple[bool, str | None]:
        shown = json.loads(office.daemon.command("admin", "user", "show", user, "--json").stdout)
        return shown["last_sign_in_time"] is not None, shown["last_sign_in_service"]

    with office.daemon.channel() as channel:
        assert Person(channel, "alice").password("not hers").outcome.verdict == login_pb2.VERDICT_REFUSED
        for user in ("dave", "carol"):
            assert last(user) == (False, None)
            assert Person(channel, user).password().outcome.verdict == login_pb2.VERDICT_GRANTED
            assert last(user) == (True, "sshd")
    assert last("alice") == (False, None)
    told = office.daemon.command("admin", "user", "show", "alice").stdout
    assert "none in the audit" in told
