"""The blocking client and the async one are one interface in two colours."""

from __future__ import annotations

import inspect

from nightlatch.client import AsyncClient, Client

_OF_PEOPLE = {"ask", "tell"}  # what these return is awaited, or is not


def methods(client: type) -> dict[str, list[tuple[object, ...]]]:
    """Each public method, with the name, kind, default and type of each parameter."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for name, method in inspect.getmembers(client, inspect.isfunction):
        if not name.startswith("_") or name == "__init__":
            parameters = inspect.signature(method).parameters.values()
            found[name] = [
                (one.name, one.kind, one.default, None if one.name in _OF_PEOPLE else one.annotation)
                for one in parameters
            ]
    return found


def test_both_clients_have_the_same_methods() -> None:
    """A method or a parameter that one of them gets, the other has too."""
    blocking = methods(Client)
    assert {"verify_code", "login", "check_receipt"} <= blocking.keys()
    assert methods(AsyncClient) == blocking


def test_both_clients_answer_with_the_same() -> None:
    """What the one returns, the other's coroutine gives."""
    for name in methods(Client):
        answers = [inspect.signature(getattr(one, name)).return_annotation for one in (Client, AsyncClient)]
        assert answers[0] == answers[1], name
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name)) is not name.startswith("_"), name
