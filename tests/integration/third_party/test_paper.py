"""Somebody else's factor, from its own wheel: installed, proven, enrolled, and used for a login."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from integration.third_party.environment import EXAMPLE, Environment
from nightlatch.v1 import enrollment_pb2, enrollment_pb2_grpc, login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table
from testbed.process import Child, wait_until
from unit.plugins.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import grpc

    from testbed.slapd import Slapd

EXIT_WRONG = 2


class Elsewhere(Nightlatchd):
    """The daemon of a private environment."""

    environment: Environment

    def start(self, *, ready: bool = True) -> None:
        """Start it by its command's own entry point, which cuts it off from its surroundings."""
        command = ("-m", "nightlatch.cli.daemon", "serve", "--config", self.config)
        self._child = Child([self.environment.python, *command], self.log)
        if ready:
            wait_until(lambda: self._ready_events() > 0, "nightlatchd", self._child)


@pytest.fixture
def daemon(
    environment: Environment, wheel: Path, door_folder: Path, slapd: Slapd
) -> Iterator[Callable[[str], Elsewhere]]:
    """A daemon to be, by its list of enabled plugins; the paper card is installed beside it."""
    environment.install(wheel)
    made: list[Elsewhere] = []

    def make(enabled: str) -> Elsewhere:
        daemon = Elsewhere(door_folder / "d", directory_table(slapd))
        daemon.environment = environment
        config = daemon.config.read_text().replace('enabled = ["totp"]', f"enabled = [{enabled}]")
        daemon.config.write_text(config)
        made.append(daemon)
        return daemon

    yield make
    for one in made:
        if one.running():
            one.stop()


def cells(prompt: str, card: Mapping[str, str]) -> str:
    """What a person reads off the card, for the cells that a prompt names."""
    named = re.findall(r"\b([A-L])([1-6])\b", prompt)
    assert len(named) == 3, prompt
    return "".join(card[row].split()[int(column) - 1] for row, column in named)


def print_card(channel: grpc.Channel) -> dict[str, str]:
    """Enrol a card for alice, and prove that she can read it."""
    service = enrollment_pb2_grpc.EnrollmentServiceStub(channel)
    request = enrollment_pb2.BeginEnrollmentRequest(user="alice", factor="paper")
    begun = service.BeginEnrollment(request, timeout=15)
    card = {detail.name: detail.value for detail in begun.details}
    answer = cells(begun.prompt, card).encode()
    service.ConfirmEnrollment(
        enrollment_pb2.ConfirmEnrollmentRequest(ticket=begun.ticket, answer=answer), timeout=15
    )
    return card


def test_a_person_signs_in_with_it(daemon: Callable[[str], Elsewhere]) -> None:
    """From the wheel to the grant: printed, confirmed, then three cells for each login, each answer once."""
    running = daemon('"totp", "paper"')
    running.start()
    with running.channel(admin=True) as admin:
        card = print_card(admin)
    with running.channel() as channel:
        person = Person(channel)
        first, at_once = person.password(), person.password()
        assert first.prompt.text.startswith("Cells ")
        assert f'of your card "{card["card"]}"' in first.prompt.text
        answer = cells(first.prompt.text, card)
        wrong = person.answer(at_once, answer[::-1] + "0")
        assert wrong.WhichOneof("kind") == "prompt"
        assert person.answer(first, answer).outcome.verdict == login_pb2.VERDICT_GRANTED
        assert person.answer(wrong, answer).outcome.verdict != login_pb2.VERDICT_GRANTED
        later = person.password()
        assert later.prompt.text != first.prompt.text
        granted = person.answer(later, cells(later.prompt.text, card)).outcome
        assert granted.verdict == login_pb2.VERDICT_GRANTED
    assert running.stop() == 0


def test_its_contract_suite_passes_where_it_is_installed(
    environment: Environment, wheel: Path, tmp_path: Path
) -> None:
    """The author's own test runs on the installed wheel, without anything of this repository's tests."""
    environment.install(wheel)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(EXAMPLE / "test_paper.py", theirs)
    options: list[str | Path] = ["-q", "-p", "no:cacheprovider", "--rootdir", theirs, "-c", os.devnull]
    ran = subprocess.run(
        [environment.python, "-I", "-m", "pytest", *options],
        cwd=theirs,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^\d\d passed in", ran.stdout, re.MULTILINE), ran.stdout


def test_what_is_not_on_the_list_is_not_imported(
    daemon: Callable[[str], Elsewhere], environment: Environment, tmp_path: Path
) -> None:
    """PLG-02: a plugin that is merely installed does nothing, and its factor is not there."""
    mark = tmp_path / "imported"
    Shelf(environment.site).put("loud", f"open({str(mark)!r}, 'w').close()\n")
    running = daemon('"totp"')
    running.start()
    with running.channel(admin=True) as admin, pytest.raises(Exception, match="paper"):
        print_card(admin)
    assert not mark.exists()
    assert "paper" not in (running.log.read_text())
    assert running.stop() == 0


def test_what_claims_another_s_name_stops_the_start(
    daemon: Callable[[str], Elsewhere], environment: Environment
) -> None:
    """PLG-02: a plugin that brings a factor of another's name is named, with what to do; nobody is served."""
    Shelf(environment.site).put_factor("paper", entry="copycat")
    stopped = daemon('"totp", "paper", "copycat"')
    stopped.start(ready=False)
    assert stopped.wait() == EXIT_WRONG
    said = stopped.log.read_text()
    assert 'the plugin "copycat" can not be used: its factor "paper"' in said
    assert "The daemon did not start." in said


def test_it_imports_the_contract_and_nothing_else() -> None:
    """The example keeps to what is promised: of nightlatch, nightlatch.factor alone."""
    named = set()
    for file in (EXAMPLE / "nightlatch_paper").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                named.add(node.module)
            elif isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
    assert {name for name in named if name and name.split(".")[0] == "nightlatch"} == {"nightlatch.factor"}
