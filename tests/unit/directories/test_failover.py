"""Which server is asked first. Time is a number here."""

from __future__ import annotations

from nightlatch.directories.failover import FIRST_PAUSE, LONGEST_PAUSE, Failover


class _Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_configured_order() -> None:
    """While all work, the first is asked first."""
    assert Failover(["a", "b", "c"], _Time()).order() == ("a", "b", "c")


def test_a_failed_server_is_passed_over_and_tried_again() -> None:
    """A failed server goes to the end for a while, then one caller tries it, then it is the first again."""
    time = _Time()
    servers = Failover(["a", "b"], time)
    assert servers.failed("a") is True
    assert servers.order() == ("b", "a")
    time.now += FIRST_PAUSE
    assert servers.order() == ("a", "b")
    assert servers.order() == ("b", "a"), "a second caller does not wait for the trial"
    assert servers.worked("a") is True
    assert servers.order() == ("a", "b")
    assert servers.worked("a") is False


def test_pauses_grow_to_a_bound() -> None:
    """Each failure in a row doubles the pause, up to a minute."""
    time = _Time()
    servers = Failover(["a", "b"], time)
    pauses: list[float] = []
    for _ in range(40):
        servers.failed("a")
        start = time.now
        while servers.order()[0] != "a":
            time.now += FIRST_PAUSE
        pauses.append(time.now - start)
    assert pauses[:4] == [5, 10, 20, 40]
    assert set(pauses[4:]) == {LONGEST_PAUSE}


def test_nobody_works() -> None:
    """With all servers failed, all are still tried: a pause makes no outage."""
    servers = Failover(["a", "b"], _Time())
    assert servers.failed("a") is True
    assert servers.failed("b") is True
    assert servers.failed("b") is False
    assert sorted(servers.order()) == ["a", "b"]
