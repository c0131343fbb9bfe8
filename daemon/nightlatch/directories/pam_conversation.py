"""One check of a password by PAM, through python-pam.

MUST 1: the first hidden prompt gets the password, and nothing else gets anything: a second prompt of
        any kind ends the conversation. python-pam's own answers every hidden prompt with the password.
MUST 2: an exception in the conversation fails it; ctypes would take it for PAM_SUCCESS.
MUST 3: granted is PAM_SUCCESS from authentication and from account management, and nothing else.
MUST 4: once the password was given, an end that is no clear outage counts as a wrong password:
        a second prompt after a wrong one would otherwise be a free guess.
MUST 5: what is wrong with an account is told as such only where pam_authenticate has passed the password.
"""

from __future__ import annotations

from ctypes import POINTER, byref, c_char, c_void_p, cast, memmove, sizeof
from typing import Any

import pam
from pam.__internals import (  # type: ignore[import-untyped]  # python-pam has no types
    PamConv,
    PamResponse,
    conv_func,
)

from nightlatch.directories.pam_protocol import Outcome
from nightlatch.directories.pam_service import SERVICE

_MOST_MESSAGES = 32  # PAM_MAX_NUM_MSG

_OUTCOMES = {
    pam.PAM_SUCCESS: Outcome.RIGHT,
    pam.PAM_AUTH_ERR: Outcome.WRONG,
    pam.PAM_USER_UNKNOWN: Outcome.WRONG,
    pam.PAM_MAXTRIES: Outcome.WRONG,
    pam.PAM_PERM_DENIED: Outcome.WRONG,
    pam.PAM_CRED_INSUFFICIENT: Outcome.UNAVAILABLE,
    pam.PAM_NEW_AUTHTOK_REQD: Outcome.UNPROVEN,
    pam.PAM_AUTHTOK_EXPIRED: Outcome.UNPROVEN,
    pam.PAM_ACCT_EXPIRED: Outcome.UNPROVEN,
}
_AFTER_A_RIGHT_PASSWORD = {
    pam.PAM_SUCCESS: Outcome.RIGHT,
    pam.PAM_NEW_AUTHTOK_REQD: Outcome.MUST_CHANGE,
    pam.PAM_AUTHTOK_EXPIRED: Outcome.MUST_CHANGE,
    pam.PAM_ACCT_EXPIRED: Outcome.EXPIRED,
    pam.PAM_PERM_DENIED: Outcome.CLOSED,  # pam_time, pam_access, pam_succeed_if
    pam.PAM_AUTH_ERR: Outcome.CLOSED,  # pam_nologin, pam_listfile
    pam.PAM_USER_UNKNOWN: Outcome.CLOSED,
}


class Conversation(pam.PamAuthenticator):  # type: ignore[misc]  # python-pam has no types for it
    """A PamAuthenticator that talks to PAM in our words."""

    def __init__(self, password: bytes) -> None:
        super().__init__()
        self._password = password
        self._given = False
        self._asked_more = False
        self._proven = False
        self._own = PamConv(conv_func(self._converse), None)
        self._start: Any = self.pam_start
        self.pam_start: Any = self._start_with_own
        self._check: Any = self.pam_authenticate
        self.pam_authenticate: Any = self._authenticate_and_remember

    def __repr__(self) -> str:
        """Say nothing about the password."""
        return "Conversation(…)"

    def check(self, name: str) -> tuple[Outcome, int]:
        """How the check of `name` ended, and PAM's own number for the log."""
        self.authenticate(name, self._password, service=SERVICE, resetcreds=False)
        code = int(self.code)
        if self._asked_more:
            return (Outcome.MORE_ASKED if self._given else Outcome.UNAVAILABLE), code
        outcomes = _AFTER_A_RIGHT_PASSWORD if self._proven else _OUTCOMES
        return outcomes.get(code, Outcome.UNAVAILABLE), code

    def _start_with_own(self, service: bytes, name: bytes, _: Any, handle: Any) -> int:  # noqa: ANN401 - ctypes' pointers
        return int(self._start(service, name, byref(self._own), handle))

    def _authenticate_and_remember(self, handle: Any, flags: int) -> int:  # noqa: ANN401 - ctypes' pointers
        code = int(self._check(handle, flags))
        self._proven = code == pam.PAM_SUCCESS and self._given  # MUST 5
        return code

    def _converse(self, count: int, messages: Any, answers: Any, _: Any) -> int:  # noqa: ANN401 - ctypes' pointers
        try:
            return self._answer(count, messages, answers)
        except Exception:  # noqa: BLE001 - MUST 2
            return int(pam.PAM_CONV_ERR)

    def _answer(self, count: int, messages: Any, answers: Any) -> int:  # noqa: ANN401 - ctypes' pointers
        if not 0 < count <= _MOST_MESSAGES:
            return int(pam.PAM_CONV_ERR)
        styles = [messages[at].contents.msg_style for at in range(count)]
        prompts = [at for at in range(count) if styles[at] not in {pam.PAM_ERROR_MSG, pam.PAM_TEXT_INFO}]
        if prompts and (
            self._asked_more
            or self._given
            or len(prompts) > 1
            or styles[prompts[0]] != pam.PAM_PROMPT_ECHO_OFF
        ):
            self._asked_more = True
            return int(pam.PAM_CONV_ERR)
        block = cast(self.calloc(count, sizeof(PamResponse)), POINTER(PamResponse))
        if prompts:
            text = self.calloc(len(self._password) + 1, sizeof(c_char))
            memmove(text, self._password, len(self._password))
            cast(byref(block[prompts[0]]), POINTER(c_void_p))[0] = text  # libpam frees it
            self._given = True
        answers[0] = block
        return int(pam.PAM_SUCCESS)
