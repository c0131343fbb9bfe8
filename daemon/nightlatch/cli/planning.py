"""What a plan says: as tables for people, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.outlooks import MODES, SECOND_FACTORS, outlook_words, prospect_json
from nightlatch.cli.output import print_table, say
from nightlatch.v1 import policy_pb2

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from pathlib import Path

    from nightlatch.v1.policy_pb2 import PersonChange, Prospect, Requirement

FEW = 20
"""Names of a kind that are listed without being asked for."""
CHANGES = {
    policy_pb2.CHANGE_LOCKED_OUT: ("locked out", "would have nothing that counts, and no way to come to it"),
    policy_pb2.CHANGE_EXEMPTED: ("exempt", "would not be asked for a second factor any more"),
    policy_pb2.CHANGE_ASKED_MORE: ("asked more", "would have to show more"),
    policy_pb2.CHANGE_FACTORS: ("other factors", "would have other factors count"),
    policy_pb2.CHANGE_ASKED_LESS: ("asked less", "would have to show less"),
    policy_pb2.CHANGE_LET_IN: ("let in", "are locked out now, and would not be"),
    policy_pb2.CHANGE_TERMS: ("other terms", "would have other devices, enrolment, grace or observation"),
}
"""Each change in words, and what it means; the gravest first."""


def tell(
    file: Path,
    read: int,
    changes: Sequence[PersonChange],
    counts: Counter[policy_pb2.Change.ValueType],
    few: int | None,
) -> None:
    """Print a plan for people; of each kind at most `few` names, or all."""
    if not changes:
        say(f"{file} changes nothing for any of {read:,} people.")
        return
    say(f"{file} changes something for {len(changes):,} of {read:,} people.\n")
    rows = [
        (words, f"{counts[change]:,}", meaning)
        for change, (words, meaning) in CHANGES.items()
        if counts[change]
    ]
    print_table(("change", "people", "they"), rows, {"locked out": "bold red"})
    for change, (words, _) in CHANGES.items():
        concerned = [one for one in changes if one.change == change]
        if concerned:
            say(f"\n{words} ({len(concerned):,})")
            shown = concerned if few is None else concerned[:few]
            print_table(("person", "at", "now", "then"), map(_row, shown))
            if len(concerned) > len(shown):
                say(f"and {len(concerned) - len(shown):,} more; --all lists them.")


def _row(one: PersonChange) -> tuple[str, str, str, str]:
    before, after = _terms(one.before.requirement), _terms(one.after.requirement)
    differing = [(was, will) for was, will in zip(before, after, strict=True) if was != will]
    if one.change == policy_pb2.CHANGE_TERMS and differing:
        now, then = (", ".join(words) for words in zip(*differing, strict=True))
    else:
        now, then = _prospect(one.before), _prospect(one.after)
    return account_words(one.account), ", ".join(one.places), now, then


def _prospect(prospect: Prospect) -> str:
    """What is asked, by which rules, and what becomes of the person."""
    requirement = prospect.requirement
    asked = SECOND_FACTORS.get(requirement.second_factor, "?")
    if requirement.second_factor == policy_pb2.SECOND_FACTOR_REQUIRED:
        asked = " or ".join(requirement.factors) or "nothing that counts"
    outlook = outlook_words(prospect.outlook)
    why = f": {prospect.because}" if prospect.outlook == policy_pb2.OUTLOOK_LOCKED_OUT else ""
    return f"{asked} ({', '.join(requirement.rules)}), {outlook}{why}"


def _terms(one: Requirement) -> tuple[str, ...]:
    observed, by = ", ".join(one.observed_factors), ", ".join(one.observed_rules)
    return (
        f"devices {one.trusted_device_days} days",
        f"enrolment {MODES.get(one.enrollment, '?')}",
        f"grace {one.grace_days} days",
        f"grace {one.grace_logins} logins",
        f"observed {observed or 'nothing'} ({by or 'no rule'})",
    )


def change_json(one: PersonChange) -> dict[str, object]:
    """A person's change for programs."""
    return {
        "account": account_json(one.account),
        "change": policy_pb2.Change.Name(one.change).removeprefix("CHANGE_").lower(),
        "places": list(one.places),
        "before": prospect_json(one.before),
        "after": prospect_json(one.after),
    }
