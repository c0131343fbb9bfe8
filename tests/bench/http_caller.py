"""A load process over HTTP: so many threads, each with one request under way. Driven as `bench.caller` is."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any

_SECONDS = 120


def call_all(plan: dict[str, Any]) -> None:
    """Send every request of the plan, `streams` at a time; each answer must accept."""
    waiting = iter(plan["requests"])
    taking = threading.Lock()
    times: list[float] = []
    wrong: list[str] = []

    def stream() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=_SECONDS)
        while True:
            with taking:
                body = next(waiting, None)
            if body is None:
                return
            began = time.perf_counter()
            connection.request("POST", plan["path"], body, {"Content-Type": "application/json"})
            answer = json.load(connection.getresponse())
            times.append(time.perf_counter() - began)
            if answer.get("result", {}).get("value") is not True:
                wrong.append(json.dumps(answer)[:500])

    threads = [threading.Thread(target=stream) for _ in range(plan["streams"])]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if wrong or len(times) != len(plan["requests"]):
        raise RuntimeError(f"{len(times)} answers, {len(wrong)} of them wrong: {wrong[:1]}")
    sys.stdout.write(json.dumps({"seconds": seconds, "times": times}) + "\n")


if __name__ == "__main__":
    call_all(json.loads(sys.stdin.readline()))
