"""Builds the factors that the configuration allows, once, at start.

MUST 1: only plugins on the allow-list are imported.
MUST 2: a factor has one owner: names are not shared, and the name of an installed plugin is its own.
MUST 3: what is returned can not be added to. Any problem, and nothing is returned.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nightlatch.errors import SettingsProblems
from nightlatch.plugins.answers import type_name
from nightlatch.plugins.channel_tables import ChannelTables
from nightlatch.plugins.discovery import PluginFault, installed, load_plugin, raised, suggestion
from nightlatch.plugins.facade import FactorFacade
from nightlatch.plugins.settings import checked_settings, problems_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.metadata import EntryPoint

    from nightlatch.factor import Factor, FactorPlugin
    from nightlatch.plugins.channel_facade import ChannelFacade

Registry = Mapping[str, FactorFacade]
"""The factors of this daemon by name, frozen."""

Tables = Mapping[str, Mapping[str, object]]
"""The tables ``[factors.NAME]`` or ``[channels.NAME]`` by name, as TOML gives them."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """All that the enabled plugins bring to this daemon."""

    factors: Registry
    channels: Mapping[str, ChannelFacade]
    """The configured channels by their own names, frozen."""


def load_factors(
    enabled: Sequence[str], tables: Tables, steady: Callable[[], float] = time.monotonic
) -> Registry:
    """`load_plugins` for a daemon without channels: its factors alone."""
    return load_plugins(enabled, tables, {}, steady).factors


def load_plugins(
    enabled: Sequence[str],
    factors: Tables,
    channels: Tables,
    steady: Callable[[], float] = time.monotonic,
) -> Plugins:
    """Import the enabled plugins, check the tables of factors and channels, build both.

    `steady` measures how long a factor takes. Raises SettingsProblems with every problem at once, placed at
    "plugins.enabled[INDEX]", "factors.NAME.SETTING" or "channels.NAME.SETTING".
    """
    loading = _Loading(factors, channels, steady)
    for index, name in enumerate(enabled):
        loading.add(f"plugins.enabled[{index}]", name)
    return loading.finish()


class _Loading:
    """One start: what was found so far, good and bad."""

    def __init__(self, tables: Tables, channels: Tables, steady: Callable[[], float]) -> None:
        self._tables = tables
        self._steady = steady
        self._installed = installed()
        self._problems: list[tuple[str, str]] = []
        self._added: set[str] = set()
        self._owners: dict[str, str] = {}
        self._factors: dict[str, FactorFacade] = {}
        self._channels = ChannelTables(channels, steady)

    def add(self, place: str, name: str) -> None:
        """Take one plugin with all that it declares."""
        if name in self._added:
            self._problems.append((place, f'the plugin "{name}" is named twice.\nName it once.'))
            return
        self._added.add(name)
        try:
            declared = load_plugin(name, self._installed)
            for plugin in declared.factors:
                self._claim(plugin.name, name)
                self._build(plugin)
            for kind in declared.channels:
                self._channels.add(kind, name)
        except PluginFault as fault:
            self._problems.append((place, _about(name, self._installed, fault)))

    def finish(self) -> Plugins:
        """All of it, frozen; raises SettingsProblems."""
        plugins_are_fine = not any(place.startswith("plugins.") for place, _ in self._problems)
        if plugins_are_fine:  # else the table may belong to a plugin that could not be loaded
            self._problems += [
                (f"factors.{name}", self._stray(name)) for name in self._tables if name not in self._owners
            ]
            channels, problems = self._channels.finish()
            self._problems += problems
        if self._problems:
            raise SettingsProblems(tuple(self._problems))
        return Plugins(MappingProxyType(self._factors), MappingProxyType(channels))

    def _claim(self, factor: str, plugin: str) -> None:
        owner = self._owners.get(factor)
        if owner is not None:
            raise PluginFault(
                f'its factor "{factor}" is already brought by the plugin "{owner}".\nEnable one of them.'
            )
        if factor != plugin and factor in self._installed:
            raise PluginFault(
                f'its factor "{factor}" has the name of an installed plugin, and only that may bring it.'
            )
        self._owners[factor] = plugin

    def _build(self, plugin: FactorPlugin) -> None:
        table = f"factors.{plugin.name}"
        if plugin.slow and plugin.silent:
            raise PluginFault(
                f'its factor "{plugin.name}" is slow and silent, and can be one of the two only.'
            )
        try:
            settings = checked_settings(plugin.settings, self._tables.get(plugin.name, {}))
        except ValidationError as error:
            self._problems += problems_in(error, plugin.settings, table)
            return
        try:
            factor = plugin.build(settings)
            wanted = tuple(plugin.channels(settings))
            missing = [
                one for one in ("enroll", "challenge", "verify") if not callable(getattr(factor, one, None))
            ]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included
            raise PluginFault(f'its factor "{plugin.name}" can not be built: {raised(error)}') from error
        if missing:
            raise PluginFault(_no_factor(plugin.name, factor, missing))
        self._channels.want(f"{table}.channels", wanted, plugin.medium)
        self._factors[plugin.name] = FactorFacade(plugin, factor, self._steady, wanted)

    def _stray(self, name: str) -> str:
        if name in self._installed:
            return (
                f'the plugin "{name}" is installed but not enabled.\n'
                "Add it to plugins.enabled, or remove the table."
            )
        return f'no enabled plugin brings a factor "{name}".\n{suggestion(name, self._owners)}'


def _about(name: str, found: dict[str, tuple[EntryPoint, ...]], fault: PluginFault) -> str:
    return str(fault) if name not in found else f'the plugin "{name}" can not be used: {fault}'


def _no_factor(name: str, factor: Factor, missing: list[str]) -> str:
    return f'its factor "{name}" was built as {type_name(factor)}, which has no {" and no ".join(missing)}.'
