"""The pages of the sent codes tell what the plugins do; and what settings they take."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from nightlatch.factor import Settings
from nightlatch_codes import email, emergency, sms
from nightlatch_codes.settings import EmailSettings, EmergencySettings, SmsSettings

DOCS = Path(__file__).parents[3] / "docs" / "factors"
MODELS: dict[str, type[Settings]] = {
    "sms": SmsSettings,
    "email": EmailSettings,
    "emergency": EmergencySettings,
}
EACH = pytest.mark.parametrize("name", MODELS)
SMS = {"channels": ["gateway"], "countries": ["US"]}


def page(name: str) -> str:
    """A factor's page."""
    return (DOCS / f"{name}.md").read_text()


@EACH
def test_every_setting_is_on_the_page(name: str) -> None:
    """The table of settings misses none."""
    for setting in MODELS[name].model_fields:
        assert f"| `{setting}` |" in page(name)


@EACH
def test_the_example_on_the_page_shows_the_defaults(name: str) -> None:
    """The example is a right table, and what it sets beyond the needed are the defaults."""
    text = page(name)
    start = text.index("    [plugins]")
    example = "\n".join(re.findall(r"^ {4}(.*)$|^$", text[start : text.index("| setting |")], re.MULTILINE))
    table = tomllib.loads(example)["factors"][name]
    model = MODELS[name].model_validate(table)
    for setting, field in MODELS[name].model_fields.items():
        assert field.is_required() or getattr(model, setting) == field.get_default()


@EACH
def test_every_reason_is_on_the_page(name: str) -> None:
    """What the audit may say can be looked up."""
    sources = {"emergency": "emergency_factor.py"}
    file = Path(sms.__file__).parent / sources.get(name, "factor.py")
    reasons = re.findall(r'reason=f?"([^"]+)"', file.read_text())
    assert reasons
    for reason in reasons:
        assert f"| `{reason.split('{')[0]}" in page(name)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (SmsSettings, {}),
        (SmsSettings, {"channels": ["gateway"]}),
        (SmsSettings, {**SMS, "countries": []}),
        (SmsSettings, {**SMS, "channels": []}),
        (SmsSettings, {**SMS, "channels": ["gateway", "gateway"]}),
        (SmsSettings, {**SMS, "countries": ["us"]}),
        (SmsSettings, {**SMS, "countries": ["US", "US"]}),
        (SmsSettings, {**SMS, "countries": ["*"]}),
        (SmsSettings, {**SMS, "countries": ["001"]}),
        (SmsSettings, {**SMS, "default_region": "DE"}),
        (SmsSettings, {**SMS, "minutes": 11}),
        (SmsSettings, {**SMS, "digits": 5}),
        (SmsSettings, {**SMS, "resend_seconds": 10}),
        (EmailSettings, {"channels": ["smtp"], "minutes": 0}),
        (EmailSettings, {"channels": ["smtp"], "countries": ["US"]}),
        (EmergencySettings, {"channels": ["smtp"], "minutes": 61}),
    ],
)
def test_settings_that_weaken_are_errors(model: type[Settings], table: dict[str, object]) -> None:
    """No country is allowed by leaving the list out or by a wildcard, and no number leaves its range."""
    with pytest.raises(ValidationError):
        model.model_validate(table)


@pytest.mark.parametrize("plugin", [sms, email, emergency])
def test_foreign_settings_are_refused(plugin: object) -> None:
    """A factor is built from its own settings only, and names channels from no others."""
    (declared,) = plugin.nightlatch_factors()  # type: ignore[attr-defined]  # each of the three has the hook
    with pytest.raises(TypeError, match="Settings"):
        declared.build(Settings())
    with pytest.raises(TypeError, match="Settings"):
        declared.channels(Settings())
