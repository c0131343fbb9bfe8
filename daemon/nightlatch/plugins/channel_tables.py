"""Builds the channels that the configuration names, once every plugin has said what it brings.

MUST 1: a factor that names a channel which is not there, or is of another medium, stops the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from nightlatch.plugins.channel_facade import ChannelFacade
from nightlatch.plugins.discovery import PluginFault, raised, suggestion
from nightlatch.plugins.settings import checked_settings, problems_in, problems_of_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nightlatch.channel import ChannelPlugin, Medium

Problem = tuple[str, str]


class _WrongKind(PluginFault):
    """The table's kind is none, or missing."""


class _WrongSettings(PluginFault):
    """What the plugin says of its settings when it builds from them."""


class ChannelTables:
    """The tables ``[channels.NAME]``, and who wants which of them."""

    def __init__(self, tables: Mapping[str, Mapping[str, object]], steady: Callable[[], float]) -> None:
        self._tables = tables
        self._steady = steady
        self._kinds: dict[str, ChannelPlugin] = {}
        self._wanted: list[tuple[str, tuple[str, ...], Medium | None]] = []

    def add(self, kind: ChannelPlugin, plugin: str) -> None:
        """A plugin brings a kind of channel; raises PluginFault where another brings it already."""
        if kind.kind in self._kinds:
            raise PluginFault(
                f'its kind of channel "{kind.kind}" is already brought by another plugin than "{plugin}".'
            )
        self._kinds[kind.kind] = kind

    def want(self, place: str, names: tuple[str, ...], medium: Medium | None) -> None:
        """A factor's settings name channels, in their order."""
        self._wanted.append((place, names, medium))

    def finish(self) -> tuple[dict[str, ChannelFacade], list[Problem]]:
        """The channels by name, and every problem."""
        built: dict[str, ChannelFacade] = {}
        problems: list[Problem] = []
        for name, table in self._tables.items():
            try:
                built[name] = self._build(name, table)
            except ValidationError as error:
                kind = self._kinds[str(table["kind"])]
                problems += problems_in(error, kind.settings, f"channels.{name}")
            except _WrongKind as fault:
                problems.append((f"channels.{name}.kind", str(fault)))
            except _WrongSettings as fault:
                kind = self._kinds[str(table["kind"])]
                problems += problems_of_build(str(fault), kind.settings, f"channels.{name}")
            except PluginFault as fault:
                problems.append((f"channels.{name}", str(fault)))
        return built, [*problems, *self._unmet()]

    def _build(self, name: str, table: Mapping[str, object]) -> ChannelFacade:
        kind = self._kinds.get(str(table.get("kind")))
        if kind is None:
            wrong = f'"{table["kind"]}" is no kind of channel here' if "kind" in table else "kind is missing"
            raise _WrongKind(f"{wrong}.\n{suggestion(str(table.get('kind', '')), self._kinds)}")
        rest = {key: value for key, value in table.items() if key != "kind"}
        settings = checked_settings(kind.settings, rest)
        try:
            return ChannelFacade(name, kind, kind.build(settings), self._steady)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included
            if type(error) is ValueError and str(error).strip():  # words for the administrator
                raise _WrongSettings(str(error)) from None
            raise PluginFault(f"the channel can not be built: {raised(error)}") from error

    def _unmet(self) -> Iterator[Problem]:
        for place, names, medium in self._wanted:
            for index, name in enumerate(names):
                kind = self._kinds.get(str(self._tables.get(name, {}).get("kind")))
                if name not in self._tables:
                    yield (
                        f"{place}[{index}]",
                        f"there is no [channels.{name}].\n{suggestion(name, self._tables)}",
                    )
                elif kind is not None and medium is not None and kind.medium is not medium:
                    yield (
                        f"{place}[{index}]",
                        f'the channel "{name}" takes {kind.medium.value}, this factor needs {medium.value}.',
                    )
