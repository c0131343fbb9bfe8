"""Run as a program of its own: one PAM transaction through the real libpam; JSON in, JSON out.

Imports nothing but the standard library, so that it starts quickly and runs under a preloaded sanitizer.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from pathlib import Path
from typing import Any

PAM_SUCCESS = 0
PAM_CONV_ERR = 19
PROMPTS = (1, 2)  # PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON
ITEMS = {"tty": 3, "rhost": 4, "ruser": 8}


class Message(ctypes.Structure):
    """struct pam_message."""

    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class Response(ctypes.Structure):
    """struct pam_response."""

    _fields_ = (("text", ctypes.c_void_p), ("code", ctypes.c_int))


CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)


class Conversation(ctypes.Structure):
    """struct pam_conv."""

    _fields_ = (("converse", CONVERSE), ("data", ctypes.c_void_p))


def traces() -> dict[str, object]:
    """What a guest in this process could leave behind: descriptors, signal dispositions, threads."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    wanted = ("Threads", "SigBlk", "SigIgn", "SigCgt")
    return {
        "fds": len(list(Path("/proc/self/fd").iterdir())),
        **{name: status[name].strip() for name in wanted},
    }


def conversation(libc: Any, answers: list[bytes], heard: list[tuple[int, str]]) -> Any:  # noqa: ANN401, ctypes
    """A conversation function that gives `answers` in their order, and fails when there are no more."""

    def converse(count: int, messages: Any, out: Any, _data: object) -> int:  # noqa: ANN401, ctypes
        responses = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
        for index in range(count):
            message = messages[index].contents
            heard.append((message.style, message.text.decode("utf-8", "backslashreplace")))
            if message.style not in PROMPTS:
                continue
            if not answers:
                return PAM_CONV_ERR
            responses[index].text = libc.strdup(answers.pop(0))
        out[0] = ctypes.cast(responses, ctypes.c_void_p)
        return PAM_SUCCESS

    return CONVERSE(converse)


def transact(request: dict[str, Any]) -> dict[str, object]:
    """Start, set items, run the operations until one fails, end."""
    libc = ctypes.CDLL(None)  # the allocator of this process, be it a sanitizer's
    libc.strdup.restype = libc.calloc.restype = ctypes.c_void_p
    libpam = ctypes.CDLL("libpam.so.0")
    heard: list[tuple[int, str]] = []
    converse = conversation(libc, [bytes.fromhex(answer) for answer in request["answers"]], heard)
    handle = ctypes.c_void_p()
    user = None if request["user"] is None else bytes.fromhex(request["user"])
    code = libpam.pam_start_confdir(
        request["service"].encode(),
        user,
        ctypes.byref(Conversation(converse, None)),
        request["service_dir"].encode(),
        ctypes.byref(handle),
    )
    if code != PAM_SUCCESS:
        return {"rc": code, "operations": {"start": code}, "messages": heard, "seconds": [], "traces": []}
    for name, value in request["items"].items():
        libpam.pam_set_item(handle, ITEMS[name], ctypes.c_char_p(bytes.fromhex(value)))
    for text in request["pam_env"]:
        libpam.pam_putenv(handle, ctypes.c_char_p(bytes.fromhex(text)))
    operations: dict[str, int] = {}
    seconds: list[float] = []
    seen = [traces()]
    for _ in range(request["rounds"]):
        for operation in request["operations"]:
            begun = time.monotonic()
            code = getattr(libpam, f"pam_{operation}")(handle, request["flags"])
            seconds.append(time.monotonic() - begun)
            operations[operation] = code
            if code != PAM_SUCCESS:
                break
    seen.append(traces())
    libpam.pam_end(handle, code)
    return {"rc": code, "operations": operations, "messages": heard, "seconds": seconds, "traces": seen}


if __name__ == "__main__":
    json.dump(transact(json.load(sys.stdin)), sys.stdout)
