"""Imports one plugin and asks it for its factors.

MUST 1: what is not asked for by name is not imported.
MUST 2: each plugin is asked through a pluggy manager of its own: a wrapper in one can not change
        what another declares. The manager is thrown away; no decision ever passes a hook.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final, TypeVar

import pluggy

from nightlatch import hookspecs
from nightlatch.channel import ChannelPlugin
from nightlatch.factor import FactorPlugin, Settings
from nightlatch.plugins.answers import printable, type_name
from nightlatch.plugins.ownership import find_code, writable_by_others

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP: Final = "nightlatch.plugins"
T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MOST_TITLE = 60


class PluginFault(Exception):
    """Why a plugin can not be taken, in words for the administrator."""


def installed() -> dict[str, tuple[EntryPoint, ...]]:
    """The entry points of all installed plugins by name. More than one under a name is a fault."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=GROUP):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


@dataclass(frozen=True, slots=True)
class Declared:
    """What one plugin brings."""

    factors: tuple[FactorPlugin, ...]
    channels: tuple[ChannelPlugin, ...]


def load_plugin(name: str, found: dict[str, tuple[EntryPoint, ...]]) -> Declared:
    """What the plugin `name` declares; raises PluginFault."""
    entries = found.get(name, ())
    if not entries:
        raise PluginFault(f'no plugin "{name}" is installed.\n{suggestion(name, found)}')
    if len(entries) > 1:
        owners = ", ".join(sorted(_distribution(entry) for entry in entries))
        raise PluginFault(
            f'more than one distribution brings a plugin "{name}": {owners}.\nUninstall all but one.'
        )
    _refuse_writable(entries[0])
    factors, channels = _asked(entries[0])
    return Declared(_factors(factors), _channels(channels))


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Known: {', '.join(names)}." if names else "There are none."


def raised(error: BaseException) -> str:
    """An exception of a plugin's start on one line. No secret is near it then."""
    lines = str(error).strip().splitlines()
    return f"{type_name(error)}: {printable(lines[0], 300)}" if lines else type_name(error)


def _refuse_writable(entry: EntryPoint) -> None:
    places = find_code(entry.module)
    if not places:
        raise PluginFault(
            f'its module "{entry.module}" can not be found as files.\nInstall {_distribution(entry)} again.'
        )
    writable = writable_by_others(places)
    if writable:
        more = f" and {len(writable) - 1} more" if len(writable) > 1 else ""
        raise PluginFault(
            f"{writable[0]}{more} can be written by group or others, who could so change the daemon.\n"
            f"Run: chmod -R go-w {writable[0]}"
        )


def _asked(entry: EntryPoint) -> tuple[object, object]:
    """What the plugin's hooks return: factors and channels, an empty tuple for a hook that it has not."""
    manager = pluggy.PluginManager("nightlatch")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(entry.load(), entry.name)
        manager.check_pending()
        factors, channels = manager.hook.nightlatch_factors(), manager.hook.nightlatch_channels()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything, SystemExit included
        raise PluginFault(f"it can not be loaded from {_distribution(entry)}: {raised(error)}") from error
    if not factors and not channels:
        raise PluginFault("it brings nothing: it has no hook nightlatch_factors, or the hook returned None.")
    return (factors[0] if factors else ()), (channels[0] if channels else ())


def _factors(answer: object) -> tuple[FactorPlugin, ...]:
    plugins = _list_of(FactorPlugin, answer, "nightlatch_factors")
    for plugin in plugins:
        _refuse_malformed(plugin)
    return plugins


def _channels(answer: object) -> tuple[ChannelPlugin, ...]:
    plugins = _list_of(ChannelPlugin, answer, "nightlatch_channels")
    for plugin in plugins:
        if type(plugin.kind) is not str or _NAME.fullmatch(plugin.kind) is None:
            raise PluginFault(
                "it brings a kind of channel with a bad name.\n"
                "Names are at most 32 lower case letters, digits and underscores."
            )
    return plugins


def _list_of(kind: type[T], answer: object, hook: str) -> tuple[T, ...]:
    """What a hook returned, if it is a list of just this type; raises PluginFault."""
    if type(answer) not in {list, tuple}:
        raise PluginFault(f"its hook {hook} returned {type_name(answer)}, not a list of {kind.__name__}.")
    assert isinstance(answer, list | tuple)
    for plugin in answer:
        if type(plugin) is not kind:
            raise PluginFault(f"its hook {hook} declared {type_name(plugin)}, not a {kind.__name__}.")
    return tuple(answer)


def _refuse_malformed(plugin: FactorPlugin) -> None:
    name: object = getattr(plugin, "name", None)
    title: object = getattr(plugin, "title", None)
    settings: object = getattr(plugin, "settings", None)
    if type(name) is not str or _NAME.fullmatch(name) is None:
        shown = printable(name, 40) if type(name) is str else type_name(name)
        raise PluginFault(
            f'a factor can not be named "{shown}".\n'
            "Names are at most 32 lower case letters, digits and underscores."
        )
    if type(title) is not str or not title.strip() or len(title) > _MOST_TITLE or not title.isprintable():
        raise PluginFault(f'the title of its factor "{name}" is not 1 to {_MOST_TITLE} printable letters.')
    if not isinstance(settings, type) or not issubclass(settings, Settings):
        raise PluginFault(
            f'the settings of its factor "{name}" are not a class made from nightlatch.factor.Settings.'
        )
    if not callable(getattr(plugin, "build", None)):
        raise PluginFault(f'the build of its factor "{name}" can not be called.')


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unknown distribution"
