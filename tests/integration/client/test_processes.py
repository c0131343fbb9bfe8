"""Clients in processes that fork, and clients that many threads share."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.client import Client, ClientError

if TYPE_CHECKING:
    from testbed.shop import Shop

FORKING = """
import os, sys
from nightlatch.client import Client, ClientError
target, cert, key, ca, used = sys.argv[1:]
mfa = Client(target, cert=cert, key=key, ca=ca)
if used == "used":
    mfa.verify_code("nobody", "000000")
child = os.fork()
if child == 0:
    try:
        print(mfa.verify_code("nobody", "000000").verification.value, flush=True)
    except ClientError as error:
        print(error, flush=True)
    mfa.close()
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_client_of_before_the_fork_works_unless_it_was_used(shop: Shop) -> None:
    """A preloading server makes it once for all workers; one that was used before says so."""
    said = []
    for used in ("unused", "used"):
        files = (shop.pair.certificate, shop.pair.key, shop.ca)
        done = subprocess.run(
            [sys.executable, "-c", FORKING, shop.target, *files, used],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        said.append(done.stdout)
    assert said[0] == "wrong\n"
    assert "before the process forked" in said[1]


def test_one_code_in_many_threads_is_verified_by_one(shop: Shop) -> None:
    """32 threads share a client, each call with a request_id of its own: one is right."""
    code = shop.enroll().fresh()
    with shop.client() as mfa, ThreadPoolExecutor(32) as pool:
        results = list(pool.map(lambda _: mfa.verify_code("alice", code), range(32)))
    assert sum(result.verified for result in results) == 1


def test_a_closed_client_says_so(shop: Shop) -> None:
    """Closing twice is fine; a call behind it is an error, and no hang."""
    mfa: Client = shop.client()
    assert not mfa.verify_code("alice", "000000").verified
    mfa.close()
    mfa.close()
    with pytest.raises(ClientError, match="closed"):
        mfa.verify_code("alice", "000000")
