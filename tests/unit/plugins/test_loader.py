"""Which plugins get in, which stay out, and what the administrator reads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import ConfigError, SettingsProblems
from nightlatch.plugins.loader import load_factors
from unit.plugins.shelf import factor_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unit.plugins.shelf import Shelf


def problems(
    *enabled: str, tables: Mapping[str, Mapping[str, object]] | None = None
) -> tuple[tuple[str, str], ...]:
    """The places and messages of a start that fails."""
    with pytest.raises(SettingsProblems) as caught:
        load_factors(enabled, tables or {})
    return caught.value.located


def only_problem(*enabled: str) -> str:
    """The message about the one enabled plugin of a start that fails."""
    ((place, message),) = problems(*enabled)
    assert place == f"plugins.enabled[{len(enabled) - 1}]"
    return message


def test_an_allowed_plugin_brings_its_factor(shelf: Shelf) -> None:
    """What is on the allow-list is loaded, named and titled as it declares, and the registry is frozen."""
    shelf.put_factor("strange")
    registry = load_factors(["totp", "strange"], {})
    assert list(registry) == ["totp", "strange"]
    assert registry["strange"].title == "Strange thing"
    assert repr(registry["strange"]) == "FactorFacade('strange')"
    with pytest.raises(TypeError):
        registry["other"] = registry["strange"]  # type: ignore[index]  # that is what must not work


def test_a_plugin_that_is_not_allowed_is_not_imported(shelf: Shelf) -> None:
    """PLG-02: an entry point off the allow-list never runs a line."""
    shelf.put("lurker", "raise SystemExit('I ran')", module="lurker_module")
    assert "totp" in load_factors(["totp"], {})
    assert "lurker_module" not in sys.modules


def test_a_second_distribution_with_a_built_in_name_stops_the_start(shelf: Shelf) -> None:
    """PLG-02: who brings a plugin "totp" beside the built-in is refused, unread, and both are named."""
    shelf.put("totp", "raise SystemExit", distribution="evil-totp", module="evil_totp")
    message = only_problem("totp")
    assert 'more than one distribution brings a plugin "totp": evil-totp 1.0, nightlatch' in message
    assert "evil_totp" not in sys.modules


def test_a_factor_with_a_built_in_name_stops_the_start(shelf: Shelf) -> None:
    """PLG-02: a plugin may not bring the factor of another plugin's name, enabled beside it or not."""
    shelf.put_factor("totp", entry="nicer")
    assert 'its factor "totp" has the name of an installed plugin' in only_problem("nicer")
    assert 'its factor "totp" is already brought by the plugin "totp"' in only_problem("totp", "nicer")


def test_two_plugins_with_one_factor_stop_the_start(shelf: Shelf) -> None:
    """PLG-01: there are never two answers to one factor's question."""
    shelf.put_factor("twin", entry="first")
    shelf.put_factor("twin", entry="second")
    message = only_problem("first", "second")
    assert message.startswith('the plugin "second" can not be used: its factor "twin" is already brought by')
    assert '"first"' in message


@pytest.mark.parametrize(("part", "mode"), [("", 0o775), ("", 0o757), ("__init__.py", 0o664), ("..", 0o777)])
def test_code_that_others_can_write_is_not_imported(shelf: Shelf, part: str, mode: int) -> None:
    """PLG-02: a package, a file in it, or the folder around it, open to group or others, stops the start."""
    package = shelf.put("open", "raise SystemExit('I ran')", module="open_module")
    (package / part).chmod(mode)
    message = only_problem("open")
    assert "can be written by group or others" in message
    assert f"chmod -R go-w {package.parent if part == '..' else package / part}" in message
    assert "open_module" not in sys.modules


def test_single_modules_are_checked_too(shelf: Shelf) -> None:
    """PLG-02: a plugin that is one file is held to the same."""
    module = shelf.folder / "lone_module.py"
    module.write_text(factor_source("lone"))
    shelf.register("lone", "lone_module", "dist-of-lone")
    assert list(load_factors(["lone"], {})) == ["lone"]
    module.chmod(0o666)
    assert f"chmod -R go-w {module}" in only_problem("lone")


def test_a_plugin_that_is_not_installed_is_guessed_at() -> None:
    """A misspelt plugin is told with the name that was probably meant."""
    assert only_problem("totpp") == 'no plugin "totpp" is installed.\nDid you mean "totp"?'
    assert 'no plugin "sundial" is installed.\nKnown: ' in only_problem("sundial")


def test_a_plugin_named_twice() -> None:
    """A plugin is loaded once, and named once."""
    assert only_problem("totp", "totp") == 'the plugin "totp" is named twice.\nName it once.'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise RuntimeError('first line\\nsecond\\x1b[1m line')", "RuntimeError: first line"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("", "it brings nothing: it has no hook nightlatch_factors"),
        (
            "from nightlatch.factor import hookimpl\n@hookimpl\ndef nightlatch_factor(): return []",
            "unknown hook 'nightlatch_factor'",
        ),
    ],
)
def test_a_plugin_that_does_not_load(shelf: Shelf, source: str, message: str) -> None:
    """The plugin's own error is told on one line; the daemon survives to tell it."""
    shelf.put("broken", source)
    told = only_problem("broken")
    assert told.startswith('the plugin "broken" can not be used: it')
    assert message in told
    assert "second" not in told
    assert told.isprintable()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("None", "the hook returned None"),
        ("True", "returned bool, not a list of FactorPlugin"),
        ("iter([])", "returned list_iterator, not a list"),
        ("['totp']", "declared str, not a FactorPlugin"),
        ("[type('P', (FactorPlugin,), {})('x', 'X', Settings, len)]", "declared P, not a FactorPlugin"),
        ("[object.__new__(FactorPlugin)]", 'can not be named "NoneType"'),
        ("[FactorPlugin('To\\ntp', 'X', Settings, len)]", 'can not be named "To tp"'),
        ("[FactorPlugin('', 'X', Settings, len)]", 'can not be named ""'),
        ("[FactorPlugin('x' * 33, 'X', Settings, len)]", "at most 32"),
        ("[FactorPlugin(7, 'X', Settings, len)]", 'can not be named "int"'),
        ("[FactorPlugin('x', ' ', Settings, len)]", 'the title of its factor "x"'),
        ("[FactorPlugin('x', 'a\\x1b', Settings, len)]", 'the title of its factor "x"'),
        ("[FactorPlugin('x', 'X', dict, len)]", 'the settings of its factor "x"'),
        ("[FactorPlugin('x', 'X', Settings(), len)]", 'the settings of its factor "x"'),
        ("[FactorPlugin('x', 'X', Settings, 1)]", 'the build of its factor "x" can not be called'),
        (
            "[FactorPlugin('x', 'X', Settings, lambda settings: 1 / 0)]",
            "can not be built: ZeroDivisionError: division by zero",
        ),
        ("[FactorPlugin('x', 'X', Settings, lambda settings: exit(1))]", "can not be built: SystemExit: 1"),
        (
            "[FactorPlugin('x', 'X', Settings, lambda settings: settings)]",
            "built as Settings, which has no enroll and no challenge and no verify",
        ),
    ],
)
def test_a_plugin_that_declares_nonsense(shelf: Shelf, answer: str, message: str) -> None:
    """What a hook returns is taken only where it is exactly what the contract says."""
    shelf.put(
        "odd",
        "from nightlatch.factor import FactorPlugin, Settings, hookimpl\n"
        f"@hookimpl\ndef nightlatch_factors(): return {answer}",
    )
    assert message in only_problem("odd")


def test_a_wrapper_reaches_no_other_plugin(shelf: Shelf) -> None:
    """PLG-01: a wrapper, which pluggy would let rewrite every answer, sees its own plugin only."""
    shelf.put(
        "wrapper",
        "from nightlatch.factor import hookimpl\n"
        "@hookimpl(wrapper=True)\ndef nightlatch_factors():\n    yield\n    return [[]]",
    )
    assert list(load_factors(["totp", "wrapper"], {})) == ["totp"]


def test_every_problem_at_once(shelf: Shelf) -> None:
    """Plugins and tables are checked to the end, and each problem has its place."""
    shelf.put_factor("strange", settings="size: int = 1\n    names: tuple[str, ...] = ()")
    found = problems(
        "strange",
        "totp",
        tables={
            "totp": {"algoritm": "SHA1", "digits": "6", "algorithm": "MD5"},
            "strange": {"size": "big", "names": ["a", 2]},
            "totop": {},
        },
    )
    assert found == (
        ("factors.strange.size", "must be a valid integer, not a string."),
        ("factors.strange.names[1]", "must be a valid string, not an integer."),
        ("factors.totp.algorithm", 'must be "SHA1", "SHA256" or "SHA512", not "MD5".'),
        ("factors.totp.digits", 'must be 6 or 8, not "6".'),
        ("factors.totp.algoritm", 'unknown setting.\nDid you mean "algorithm"?'),
        ("factors.totop", 'no enabled plugin brings a factor "totop".\nDid you mean "totp"?'),
    )


def test_a_table_of_a_plugin_that_is_not_enabled(shelf: Shelf) -> None:
    """Settings that nobody reads are a mistake, and the missing word in the allow-list is named."""
    shelf.put_factor("strange")
    ((place, message),) = problems("strange", tables={"totp": {}})
    assert place == "factors.totp"
    assert message.startswith('the plugin "totp" is installed but not enabled.\nAdd it to plugins.enabled')


def test_a_plugin_that_failed_does_not_disown_its_table(shelf: Shelf) -> None:
    """A table is not called strange because the plugin it belongs to could not be loaded."""
    shelf.put("broken", "raise RuntimeError")
    assert [place for place, _ in problems("broken", tables={"broken": {}})] == ["plugins.enabled[0]"]


def test_nested_tables_and_needed_settings(shelf: Shelf) -> None:
    """Problems inside nested tables are placed and guessed at as at the top."""
    shelf.put(
        "nested",
        "from nightlatch.factor import FactorPlugin, Settings, hookimpl\n"
        "from pydantic import Field\n"
        "class Inner(Settings):\n    timeout: float = Field(description='Seconds to wait.')\n"
        "class Outer(Settings):\n    inner: Inner\n    more: tuple[Inner, ...] = ()\n"
        "@hookimpl\ndef nightlatch_factors(): return [FactorPlugin('nested', 'Nested', Outer, len)]",
    )
    table = {"inner": {"timeuot": 1}, "more": [{"timeout": 1, "x": 1}]}
    assert problems("nested", tables={"nested": table}) == (
        ("factors.nested.inner.timeout", "this setting is needed.\nSeconds to wait."),
        ("factors.nested.inner.timeuot", 'unknown setting.\nDid you mean "timeout"?'),
        ("factors.nested.more[0].x", "unknown setting.\nKnown: timeout."),
    )
    assert problems("nested") == (("factors.nested.inner", "this setting is needed."),)


def test_a_settings_model_that_crashes(shelf: Shelf) -> None:
    """A validator of a plugin that fails in an unforeseen way is the plugin's problem, named as such."""
    shelf.put(
        "crashing",
        "from pydantic import field_validator\n"
        "from nightlatch.factor import FactorPlugin, Settings, hookimpl\n"
        "class Own(Settings):\n    size: int = 1\n"
        "    @field_validator('size')\n    @classmethod\n    def check(cls, value): raise SystemExit(5)\n"
        "@hookimpl\ndef nightlatch_factors(): return [FactorPlugin('crashing', 'C', Own, len)]",
    )
    ((place, message),) = problems("crashing", tables={"crashing": {"size": 1}})
    assert place == "plugins.enabled[0]"
    assert message.endswith("its settings can not be checked: SystemExit: 5")


def test_problems_are_a_configuration_error() -> None:
    """Who has no file and line to add still gets whole sentences."""
    with pytest.raises(ConfigError) as caught:
        load_factors(["totp"], {"totp": {"digits": 7}})
    assert caught.value.problems == ("factors.totp.digits: must be 6 or 8, not 7.",)
