"""What a report says: as tables for people, as JSON, and as CSV."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.outlooks import OUTLOOKS, grace_json, grace_words, outlook_json, outlook_words
from nightlatch.cli.output import plain, print_table, say
from nightlatch.v1 import policy_pb2

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from nightlatch.v1.policy_pb2 import PersonProspects, PlacesProspect

FEW = 20
"""Names of a kind that are listed without being asked for."""
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001, as wide as some of them take, too
"""What a spreadsheet takes for the beginning of a formula."""
_PROBLEMS = (policy_pb2.OUTLOOK_LOCKED_OUT, policy_pb2.OUTLOOK_WEAK, policy_pb2.OUTLOOK_ENROLLS)


def tell(
    people: Sequence[PersonProspects], counts: Counter[policy_pb2.Outlook.ValueType], few: int | None
) -> None:
    """Print a report for people; of each kind at most `few` names, or all."""
    disabled = counts[policy_pb2.OUTLOOK_DISABLED]
    counted = len(people) - disabled
    besides = f", and {disabled:,} who may not sign in at all" if disabled else ""
    say(f"{counted:,} {'person' if counted == 1 else 'people'}{besides}\n")
    rows = [
        (words, f"{counts[outlook]:,}", _share(counts[outlook], counted), meaning)
        for outlook, (words, meaning) in OUTLOOKS.items()
        if outlook != policy_pb2.OUTLOOK_DISABLED
    ]
    print_table(("outlook", "people", "share", "they"), rows, {"locked out": "bold red", "ready": "green"})
    observed = [one for one in people if _refused_if_observed(one)]
    for outlook in _PROBLEMS:
        _tell_names(
            outlook_words(outlook), [one for one in people if one.prospects[0].outlook == outlook], few
        )
    _tell_names("would be refused without observation", observed, few)


def _tell_names(words: str, people: Sequence[PersonProspects], few: int | None) -> None:
    if not people:
        return
    say(f"\n{words} ({len(people):,})")
    shown = people if few is None else people[:few]
    rows = [
        (account_words(one.account), ", ".join(one.prospects[0].places), _why(one.prospects[0]))
        for one in shown
    ]
    print_table(("person", "at", "because"), rows)
    if len(people) > len(shown):
        say(f"and {len(people) - len(shown):,} more; --all lists them.")


def _why(prospect: PlacesProspect) -> str:
    grace = f" (may be put off: {grace_words(prospect.grace)})" if prospect.HasField("grace") else ""
    return f"{prospect.because}{grace}"


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f} %" if of else ""


def _refused_if_observed(person: PersonProspects) -> bool:
    """Whether somebody who is only observed would be locked out without that."""
    return any(one.otherwise == policy_pb2.OUTLOOK_LOCKED_OUT for one in person.prospects)


def report_json(
    people: Sequence[PersonProspects], counts: Counter[policy_pb2.Outlook.ValueType]
) -> dict[str, object]:
    """The whole report for programs."""
    return {
        "people": len(people) - counts[policy_pb2.OUTLOOK_DISABLED],
        "counts": {str(outlook_json(outlook)): counts[outlook] for outlook in OUTLOOKS},
        "observed_to_be_refused": sum(map(_refused_if_observed, people)),
        "persons": [
            {
                "account": account_json(one.account),
                "outlook": outlook_json(one.prospects[0].outlook),
                "prospects": [_prospect_json(prospect) for prospect in one.prospects],
            }
            for one in people
        ],
    }


def _prospect_json(prospect: PlacesProspect) -> dict[str, object]:
    return {
        "places": list(prospect.places),
        "outlook": outlook_json(prospect.outlook),
        "because": prospect.because,
        "rules": list(prospect.rules),
        "grace": grace_json(prospect.grace) if prospect.HasField("grace") else None,
        "otherwise": outlook_json(prospect.otherwise),
    }


def print_csv(people: Sequence[PersonProspects]) -> None:
    """Print a line for each person and outcome."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("directory", "name", "outlook", "at", "because", "rules", "otherwise"))
    for one in people:
        for prospect in one.prospects:
            row = (
                one.account.directory,
                one.account.name,
                outlook_words(prospect.outlook),
                "; ".join(prospect.places),
                _why(prospect),
                "; ".join(prospect.rules),
                outlook_json(prospect.otherwise) or "",
            )
            writer.writerow(map(_cell, row))


def _cell(text: str) -> str:
    """A value that no spreadsheet takes for a formula: names come from directories, where others write."""
    shown = plain(text).replace("\n", " ")
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown
