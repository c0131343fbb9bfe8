"""Which language a person is written to, and its catalogue.

Catalogues are gettext's, read from their .po files once at the start: nothing generated is committed.
"""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from babel.core import get_global, parse_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

if TYPE_CHECKING:
    from collections.abc import Collection

ENGLISH = "en"
"""The language of the templates themselves, and of everybody whose own is not there."""
SHIPPED = (ENGLISH, "zh_Hans")


def negotiated(tag: str, available: Collection[str]) -> str:
    """The language of `available` for a person's BCP 47 tag; English when none fits.

    "zh" and "zh-CN" are written in simplified characters, "zh-TW" in traditional ones: that comes from
    CLDR's likely subtags, so that "zh_Hans" answers the first two only.
    """
    try:
        parts = parse_locale(tag.strip(), sep="_" if "_" in tag else "-")
    except ValueError:
        return ENGLISH
    language, territory, script = parts[0], parts[1], parts[2]
    likely = get_global("likely_subtags")
    for known in (f"{language}_{script}", f"{language}_{territory}", language):
        full = likely.get(known)
        if full is not None:
            _, likely_territory, likely_script, *_ = parse_locale(full)
            script, territory = script or likely_script, territory or likely_territory
            break
    wanted = [(language, script, territory), (language, script), (language, territory), (language,)]
    names = ("_".join(filter(None, parts)) for parts in wanted)
    return next((name for name in names if name in available), ENGLISH)


def catalogue(language: str) -> NullTranslations:
    """The translations into `language`; those of a language that is not shipped leave everything as it is."""
    source = files("nightlatch_messages") / "locale" / language / "messages.po"
    if language == ENGLISH or not source.is_file():
        return NullTranslations()
    with source.open("rb") as file:
        translated = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, translated)
    compiled.seek(0)
    return Translations(compiled)
