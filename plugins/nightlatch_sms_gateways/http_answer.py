"""Reads what a gateway with an interface of its own answered.

MUST 1: sent is what passed every test of success that is configured; everything else was not sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nightlatch.channel import NotSent, Receipt
from nightlatch_sms_gateways.wording import without_markup

if TYPE_CHECKING:
    from nightlatch_sms_gateways.http_settings import HttpSmsSettings
    from nightlatch_sms_gateways.https import Answer
    from nightlatch_sms_gateways.wording import Private

_ID = re.compile(r"[!-~]{1,64}")
_MISSING = object()


def receipt_for(answer: Answer, settings: HttpSmsSettings, private: Private) -> Receipt:
    """The receipt of a message that was taken; raises NotSent with the gateway's words."""
    found = _parsed(answer.body)
    if settings.permanent_pattern and re.search(settings.permanent_pattern, answer.body):
        raise NotSent(_words(answer, found, settings, private), permanent=True)
    wrong = _failed_test(answer, found, settings)
    if not wrong:
        return Receipt(_provider_id(answer, found, settings, private))
    said = _words(answer, found, settings, private)
    if answer.status in {401, 403, 407}:
        raise NotSent(f"the gateway refuses the credentials: {said}")
    if answer.status == 429:  # noqa: PLR2004, Too Many Requests
        raise NotSent(f"the gateway is asked too often: {said}{answer.pause}")
    taken = 200 <= answer.status < 300  # noqa: PLR2004, the 2xx of HTTP
    raise NotSent(f"{said}{answer.pause}{wrong if taken else ''}")


def value_at(pointer: str, found: object) -> object:
    """What a JSON pointer (RFC 6901) names in a value; a unique object where there is nothing."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and re.fullmatch(r"0|[1-9][0-9]{0,5}", name) and int(name) < len(found):
            found = found[int(name)]
        else:
            return _MISSING
    return found


def _failed_test(answer: Answer, found: object, settings: HttpSmsSettings) -> str:
    """The first test of success that an answer fails, in words; empty when it passes them all."""
    if answer.status not in settings.success_codes:
        return f" ({answer.status} is not in success_codes)"
    if settings.success_pattern and not re.search(settings.success_pattern, answer.body):
        return " (success_pattern is not in the answer)"
    for pointer, expected in settings.success_json.items():
        if _as_text(value_at(pointer, found)) != expected:
            return f" (success_json {pointer} is not as configured)"
    return ""


def _provider_id(answer: Answer, found: object, settings: HttpSmsSettings, private: Private) -> str:
    """The message's id; an odd one is left out: the message was taken all the same."""
    text = ""
    if settings.id_json is not None:
        text = _as_text(value_at(settings.id_json, found)) or ""
    elif settings.id_pattern is not None and (match := re.search(settings.id_pattern, answer.body)):
        text = (match.group(1) if match.re.groups else match.group()) or ""
    return text if _ID.fullmatch(text) and not private.is_in(text) else ""


def _words(answer: Answer, found: object, settings: HttpSmsSettings, private: Private) -> str:
    """Why, in the gateway's words, with the status where it is no success."""
    said = _as_text(value_at(settings.reason_json, found)) if settings.reason_json else None
    if said is None:
        said = without_markup(answer.body) if "html" not in answer.media_type else ""
    said = private.clean(said)
    return f"{answer.title}: {said}" if said else answer.title


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _MISSING


def _as_text(value: object) -> str | None:
    """A JSON scalar as it is written in TOML's strings: true, 0, queued."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else None
