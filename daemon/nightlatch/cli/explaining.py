"""An explanation of policy: as tables for people, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.listing import account_json
from nightlatch.cli.outlooks import MODES, SECOND_FACTORS, grace_words, outlook_words, prospect_json
from nightlatch.cli.output import json_time, local_time, print_facts, print_table, say
from nightlatch.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.v1.policy_pb2 import (
        ExplainedRule,
        ExplainPolicyRequest,
        ExplainPolicyResponse,
        Prospect,
        Requirement,
    )

FEW_GROUPS = 10
"""Groups that are listed without being asked for."""
_OUTCOMES = {
    policy_pb2.RULE_OUTCOME_DECIDES: "yes",
    policy_pb2.RULE_OUTCOME_OUTWEIGHED: "yes",
    policy_pb2.RULE_OUTCOME_LIFTED: "lifted",
    policy_pb2.RULE_OUTCOME_NO: "no",
    policy_pb2.RULE_OUTCOME_UNKNOWN: "unknown",
}
_READY = {
    policy_pb2.OUTLOOK_READY: "yes",
    policy_pb2.OUTLOOK_WEAK: "yes, but weak",
    policy_pb2.OUTLOOK_EXEMPT: "not needed",
    policy_pb2.OUTLOOK_OBSERVED: "not needed",
    policy_pb2.OUTLOOK_ENROLLS: "not yet",
}
DEFAULT_RULE = "everyone"


def refused(answer: ExplainPolicyResponse) -> bool:
    """Whether the login would be refused."""
    return answer.prospect.outlook not in _READY


def tell(request: ExplainPolicyRequest, answer: ExplainPolicyResponse, *, all_groups: bool) -> None:
    """Print an explanation for people."""
    account = answer.account
    where = f"{request.service or 'any other service'} from {request.source or 'the console'}"
    handle = f", {answer.handle}" if answer.handle else ""
    by = "" if request.client == "pam" else f" by {request.client}"
    time = f", {local_time(answer.time)}" if request.HasField("time") else ""
    say(f"{account.name} ({account.directory}{handle}) at {where}{by}{time}\n")
    if request.user != account.name:
        say(f"{request.user} is called {account.name} here: rules and the audit go by {account.name},")
        say(f"and a PAM service lets nobody in by another name than {account.name}.\n")
    print_table(("rule", "matches", "because"), _rules(answer))
    say("")
    print_facts(_facts(answer))
    _tell_groups(answer, all_groups=all_groups)


def explanation_json(request: ExplainPolicyRequest, answer: ExplainPolicyResponse) -> dict[str, object]:
    """The same for programs."""
    return {
        "account": {**account_json(answer.account), "handle": answer.handle or None},
        "service": request.service,
        "source": request.source,
        "client": request.client,
        "time": json_time(answer.time),
        "rules": [
            {
                "name": one.name,
                "outcome": policy_pb2.RuleOutcome.Name(one.outcome).removeprefix("RULE_OUTCOME_").lower(),
                "uncertain": one.uncertain,
                "because": one.because,
            }
            for one in answer.rules
        ],
        **prospect_json(answer.prospect),
        "groups": [{"id": one.id, "name": one.name, "via": list(one.via)} for one in answer.groups]
        if answer.groups_known
        else None,
        "groups_read_time": json_time(answer.groups_read_time),
        "groups_unknown": answer.groups_unknown or None,
    }


def _rules(answer: ExplainPolicyResponse) -> Iterator[tuple[str, str, str]]:
    for one in answer.rules:
        yield one.name, "unknown" if one.uncertain else _OUTCOMES.get(one.outcome, "?"), _because(one)
    if DEFAULT_RULE in answer.prospect.requirement.rules:
        yield DEFAULT_RULE, "yes", "the default: no other rule decides"
    else:
        yield DEFAULT_RULE, "no", "the default, for where no other rule decides"


def _because(one: ExplainedRule) -> str:
    if one.outcome == policy_pb2.RULE_OUTCOME_LIFTED:
        return f"{one.because}; but an exemption lifts it"
    if one.uncertain and one.outcome != policy_pb2.RULE_OUTCOME_UNKNOWN:
        return f"{one.because}; so it applies"
    if one.uncertain:
        return f"{one.because}; so it does not apply"
    return one.because


def _facts(answer: ExplainPolicyResponse) -> Iterator[tuple[str, str, str]]:
    prospect = answer.prospect
    requirement = prospect.requirement
    rules = ", ".join(requirement.rules)
    matching = {policy_pb2.RULE_OUTCOME_DECIDES, policy_pb2.RULE_OUTCOME_OUTWEIGHED}
    count = sum(1 for one in answer.rules if one.outcome in matching)
    of = f" (strictest of {count})" if count > len(requirement.rules) else ""
    yield "second factor", SECOND_FACTORS.get(requirement.second_factor, "?"), f"{rules}{of}"
    if requirement.exemption:
        yield "exemption", requirement.exemption, ""
    else:
        days = requirement.trusted_device_days
        yield "factors", ", ".join(requirement.factors) or "none", ""
        yield "trusted device", f"{days} days" if days else "no", ""
        yield "enrolment", _enrolment(requirement, prospect), ""
    if requirement.observed_rules:
        observed = ", ".join(requirement.observed_rules)
        yield "observed", ", ".join(requirement.observed_factors) or "none", f"would count for {observed}"
    yield "ready", _READY.get(prospect.outlook, "no"), _why(prospect)


def _enrolment(requirement: Requirement, prospect: Prospect) -> str:
    mode = MODES.get(requirement.enrollment, "?")
    if prospect.HasField("grace"):
        return f"{mode}, may be put off: {grace_words(prospect.grace)}"
    given = [f"{requirement.grace_days} days"] if requirement.grace_days else []
    given += [f"{requirement.grace_logins} logins"] if requirement.grace_logins else []
    return f"{mode}, grace of {' and '.join(given)}" if given else mode


def _why(prospect: Prospect) -> str:
    if prospect.outlook == policy_pb2.OUTLOOK_OBSERVED:
        return f"{prospect.because}; else: {outlook_words(prospect.otherwise)}"
    return prospect.because


def _tell_groups(answer: ExplainPolicyResponse, *, all_groups: bool) -> None:
    if answer.groups_unknown:
        say(f"\nThe groups are not known: {answer.groups_unknown}")
    if not answer.groups_known:
        return
    count = len(answer.groups)
    read = f"read {local_time(answer.groups_read_time)}"
    if not count:
        say(f"\nIn no group ({read}).")
    elif count > FEW_GROUPS and not all_groups:
        say(f"\nIn {count} groups ({read}); --groups lists them.")
    else:
        say("")
        rows = [
            (one.name, f"via {' via '.join(one.via)}" if one.via else "direct", one.id)
            for one in answer.groups
        ]
        print_table((f"group ({read})", "found", "id"), rows)
