"""docs/operations.md and the dashboard name the metrics that there are, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from nightlatch.telemetry.gauges import ReadingsCollector
from nightlatch.telemetry.metrics import Metrics
from nightlatch.telemetry.readings import Readings
from nightlatch.watching import Activity, Ending, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[3] / "docs"
FULL = Readings(
    1.0,
    {"call": 0},
    {"pam": 1},
    {"corp": (2, 1)},
    {"mail": False},
    {("store", "store"): True},
    {"nightlatch.v1.LoginService": True},
)


def everything() -> dict[str, frozenset[str]]:
    """Every sample that there is, with its labels, after each thing has happened once."""
    metrics = Metrics(("sshd",))
    metrics.add(ReadingsCollector(lambda: FULL))
    metrics.timed(("call", "LoginService/BeginLogin", "OK"), 0.1)
    metrics.timed((Activity.STEP.value, "factor", "granted"), 0.1)
    metrics.timed((Activity.DIRECTORY.value, "corp", "find", "ok"), 0.1)
    metrics.timed((Activity.DECISION.value, "ok"), 0.1)
    metrics.timed((Activity.MESSAGE.value, "mail", "ok"), 0.1)
    metrics.ended(Ending(Kind.LOGIN, "granted", "", "totp", "sshd"))
    metrics.ended(Ending(Kind.VERIFICATION, "verified", "", "totp", "sshd"))
    metrics.proof("totp", "accepted")
    metrics.blocked("factor")
    metrics.committed(1, 0.1)
    text = generate_latest(metrics.registry).decode()
    found: dict[str, frozenset[str]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if not one.name.endswith("_created"):
                found[one.name] = found.get(one.name, frozenset()) | frozenset(one.labels)
    return found


def base(sample: str) -> str:
    """A sample's metric, as the documents name it."""
    return re.sub(r"_(bucket|sum|count)$", "", sample)


def queries() -> Iterator[str]:
    """Every expression of the dashboard."""
    dashboard: dict[str, Any] = json.loads((DOCS / "grafana" / "nightlatch.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_the_table_has_every_metric_with_its_labels() -> None:
    """A metric that is new, gone, or labelled otherwise fails here."""
    text = (DOCS / "operations.md").read_text().partition("## Metrics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(nightlatch_\w+)` \| \w+ \|([^|]*)\|", text, re.MULTILINE)
    documented = {name: frozenset(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    there: dict[str, frozenset[str]] = {}
    for name, labels in everything().items():
        if name.startswith("nightlatch_"):
            there[base(name)] = there.get(base(name), frozenset()) | (labels - {"le"})
    assert documented == there


def test_the_dashboard_asks_for_what_there_is() -> None:
    """Each metric in it exists, and each label of a nightlatch metric is one of that metric's."""
    there = everything()
    asked = set()
    for query in queries():
        names = re.findall(r"\b((?:nightlatch|process)_\w+)\{([^}]*)\}", query)
        assert names, query
        for name, selector in names:
            assert name in there, query
            labels = set(re.findall(r"(\w+)(?==|!=)", selector)) - {"instance"}
            by = {one.strip() for group in re.findall(r"by \(([^)]*)\)", query) for one in group.split(",")}
            assert labels | by - {""} <= there[name], query
            asked.add(base(name))
    documented = {base(name) for name in there if name.startswith("nightlatch_")}
    assert documented - asked == set()


def test_the_alerts_ask_for_what_there_is() -> None:
    """Every expression of the suggested alerts names metrics that exist."""
    text = (DOCS / "operations.md").read_text().partition("## Metrics\n")[2].partition("\n## ")[0]
    names = re.findall(r"\bnightlatch_\w+", text)
    assert set(names) <= {*everything(), *map(base, everything())}


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """Panels have their own ids and places, and let the reader choose source and daemon."""
    dashboard = json.loads((DOCS / "grafana" / "nightlatch.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in dashboard["panels"]]
    assert len(places) == len(set(places))
    assert all(one["gridPos"]["x"] + one["gridPos"]["w"] <= 24 for one in dashboard["panels"])
    assert [one["name"] for one in dashboard["templating"]["list"]] == ["datasource", "instance"]
    assert all("$instance" in query for query in queries())
