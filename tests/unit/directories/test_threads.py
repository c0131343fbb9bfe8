"""Threads that nobody has to wait for."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError

import pytest

from nightlatch.directories.threads import NoThread, Threads
from nightlatch.errors import EXIT_NO_MEMORY
from testbed.process import wait_until


def test_work_is_done_in_its_order_by_so_many_threads() -> None:
    """Two threads do two things at once, the third waits; results and errors go to who waits for them."""
    threads = Threads(2, "test")
    go_on, at_work = threading.Event(), []

    def work(number: int) -> int:
        at_work.append(number)
        go_on.wait(10)
        return 1 // number

    futures = [threads.submit(lambda number=number: work(number)) for number in (1, 2, 0)]  # type: ignore[misc]
    wait_until(lambda: len(at_work) == 2, "two at work")
    assert sorted(at_work) == [1, 2]
    go_on.set()
    assert [future.result(10) for future in futures[:2]] == [1, 0]
    with pytest.raises(ZeroDivisionError):
        futures[2].result(10)
    assert threads.close(10)


def test_an_idle_thread_is_used_again() -> None:
    """No more threads are made than there is work at the same time."""
    threads = Threads(8, "test")
    names = set()
    for _ in range(20):
        names.add(threads.submit(lambda: threading.current_thread().name).result(10))
        wait_until(lambda: threads._idle == len(threads._threads), "the thread to be idle")
    assert names == {"test-0"}
    assert threads.close(10)


def test_closing_gives_up_what_has_not_begun_and_leaves_what_hangs() -> None:
    """A thread that hangs is waited for as long as one says, and nothing is taken any more."""
    threads = Threads(1, "test")
    go_on = threading.Event()
    hanging, waiting = threads.submit(go_on.wait), threads.submit(time.monotonic)
    wait_until(hanging.running, "the work")
    began = time.monotonic()
    assert not threads.close(0.1)
    assert time.monotonic() - began < 5
    with pytest.raises(CancelledError):
        waiting.result(0)
    with pytest.raises(RuntimeError):
        threads.submit(time.monotonic)
    go_on.set()
    assert threads.close(10)


def test_what_was_given_up_is_forgotten() -> None:
    """While everything hangs, thousands who came and left again take no memory."""
    threads = Threads(1, "test")
    go_on = threading.Event()
    hanging = threads.submit(go_on.wait)
    wait_until(hanging.running, "the work")
    for _ in range(1000):
        threads.submit(time.monotonic).cancel()
    assert len(threads._waiting) == 1
    go_on.set()
    assert threads.close(10)


class NoneLeft(threading.Thread):
    """A thread that the system does not start."""

    def start(self) -> None:
        """Fail as CPython does at a limit on tasks or memory."""
        raise RuntimeError("can't start new thread")


def test_a_thread_that_could_not_be_started_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLT-01: without any thread the work is turned away; with one again, all is as before."""
    threads = Threads(1, "test")
    with monkeypatch.context() as patched:
        patched.setattr("nightlatch.directories.threads.threading.Thread", NoneLeft)
        for _ in range(2):
            with pytest.raises(NoThread):
                threads.submit(time.monotonic)
    assert threads.submit(lambda: 7).result(10) == 7
    assert threads.close(10)


def test_work_waits_for_the_threads_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLT-01: where there could be a second thread and the system has none, the first does the work."""
    threads = Threads(2, "test")
    go_on = threading.Event()
    first = threads.submit(go_on.wait)
    wait_until(first.running, "the work")
    monkeypatch.setattr("nightlatch.directories.threads.threading.Thread", NoneLeft)
    second = threads.submit(lambda: 7)
    go_on.set()
    assert second.result(10) == 7
    assert threads.close(10)


def test_a_process_ends_while_a_thread_hangs() -> None:
    """Python does not wait at its end for a thread that hangs outside of Python."""
    program = (
        "import ctypes; from nightlatch.directories.threads import Threads\n"
        "threads = Threads(1, 'test'); work = threads.submit(ctypes.CDLL('libc.so.6').pause)\n"
        "while not work.running(): pass\n"
        "print(threads.close(0.1))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "False\n"


def test_work_without_memory_ends_the_process() -> None:
    """FLT-01: a lock may be held for ever after a MemoryError, so another process is better than this one."""
    program = (
        "from nightlatch.directories.threads import Threads\n"
        "Threads(1, 'test').submit(lambda: bytearray(2**62)).result(10)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == EXIT_NO_MEMORY
    assert "no memory left" in done.stderr
