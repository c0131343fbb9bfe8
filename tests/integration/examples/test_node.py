"""The Node example over TLS with client certificates, against a real daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.authority import Order
from testbed.slapd import password_of

if TYPE_CHECKING:
    from testbed.shop import Shop

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def programs(open_folder: Path) -> Path:
    """A copy of the example with what its lock file names, beside a copy of the protos."""
    place = open_folder / "node"
    shutil.copytree(ROOT / "proto", place / "proto")
    source = ROOT / "examples" / "node"
    made = place / "examples" / "node"
    shutil.copytree(source, made, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--cache", place / "cache"],
        cwd=made,
        check=True,
        capture_output=True,
        timeout=110,
    )
    return made


def node(programs: Path, shop: Shop, *arguments: str, typed: str) -> tuple[int, str]:
    """Run a program; its exit code, and what it printed."""
    environment = {**os.environ, **shop.environment(), "NIGHTLATCH_TARGET": shop.target}
    done = subprocess.run(
        ["node", *arguments],
        cwd=programs,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_code_is_verified_once(programs: Path, shop: Shop) -> None:
    """Exit code 0 is for the right code alone; 1 for the same one again."""
    code = shop.enroll().fresh()
    assert node(programs, shop, "verify.js", "alice", typed=f"{code}\n") == (
        0,
        "Code: VERIFICATION_VERIFIED\n",
    )
    assert node(programs, shop, "verify.js", "alice", typed=f"{code}\n") == (1, "Code: VERIFICATION_WRONG\n")


def test_a_whole_login_knows_no_factor(programs: Path, shop: Shop) -> None:
    """Each prompt of the daemon is answered by the next line that is typed."""
    app = shop.enroll()
    typed = f"{password_of('alice')}\n{app.fresh()}\n"
    status, said = node(programs, shop, "login.js", "alice", "shop", typed=typed)
    assert status == 0, said
    assert said.endswith("VERDICT_GRANTED\n")
    assert password_of("alice") not in said
    status, said = node(programs, shop, "login.js", "alice", "shop", typed="wrong\n" * 9)
    assert status == 1, said
    assert "VERDICT_REFUSED" in said


def test_a_missing_file_is_said_at_once(programs: Path, shop: Shop) -> None:
    """What Node says of it, and the end of the program: nobody is asked for a code that goes nowhere."""
    certificate = shop.pair.certificate
    hidden = certificate.rename(certificate.with_suffix(".away"))
    status, said = node(programs, shop, "verify.js", "alice", typed="")
    hidden.rename(certificate)
    assert (status, "no such file" in said, "Code:" in said) == (3, True, False), said


def test_what_could_not_be_decided_is_no_refusal(programs: Path, shop: Shop) -> None:
    """No right, no more input, a certificate that no client has, no daemon: exit code 3, each with words."""
    shop.enroll()
    status, said = node(programs, shop, "login.js", "alice", "sshd", typed="")
    assert (status, "PERMISSION_DENIED" in said) == (3, True)
    status, said = node(programs, shop, "verify.js", "alice", typed="")
    assert (status, "Nobody is typing" in said) == (3, True)
    mine = shop.pair
    shop.pair = shop.installation.authority.sign("stranger", Order(("dns:stranger.example.com",)))
    status, said = node(programs, shop, "verify.js", "alice", typed="000000\n")
    assert (status, "UNAVAILABLE" in said) == (3, True), said
    shop.pair = mine
    shop.daemon.stop()
    status, said = node(programs, shop, "verify.js", "alice", typed="000000\n")
    assert (status, "UNAVAILABLE" in said) == (3, True), said
