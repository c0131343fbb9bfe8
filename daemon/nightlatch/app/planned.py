"""Makes a policy of a configuration's text that the daemon does not run.

MUST 1: only the rules of the text are read: no directory, key, plugin or path of it is looked at.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from nightlatch.app.known_groups import groups_named, unknown_groups
from nightlatch.app.rules import policy_of
from nightlatch.config.explain import problems_of
from nightlatch.config.load import as_json
from nightlatch.config.locate import lines_in
from nightlatch.config.policies import PolicyScopes, PolicySettings
from nightlatch.config.problem import about_the_file, in_the_file
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import structlog

    from nightlatch.policy.policy import Policy
    from nightlatch.ports import Directory


class Rules(BaseModel):
    """The part of a configuration that is its policy."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    policy: PolicyScopes = PolicyScopes()
    policies: tuple[PolicySettings, ...] = ()


async def planned_policy(
    file: str,
    text: str,
    enabled: frozenset[str],
    directories: Sequence[Directory],
    log: structlog.stdlib.BoundLogger,
) -> Policy:
    """The policy in `text`, with `enabled` factors; `file` is its name in problems.

    Raises ConfigError with every problem, groups that the running directories do not have included.
    """
    path = Path(file)
    try:
        data = tomllib.loads(text)
        rules = Rules.model_validate_json(as_json(data), strict=True)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError((about_the_file(path, f"this is not TOML: {error}."),)) from None
    except ValidationError as error:
        raise ConfigError(in_the_file(path, lines_in(text), problems_of(error, Rules, data))) from None
    known = frozenset(directory.name for directory in directories)
    named = groups_named(rules.policy, rules.policies, known)
    problems = await unknown_groups(named, directories, log)
    if problems:
        raise ConfigError(in_the_file(path, lines_in(text), problems))
    return policy_of(rules.policy, rules.policies, enabled)
