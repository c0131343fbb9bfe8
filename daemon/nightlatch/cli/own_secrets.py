"""``nightlatch account``: security email, password, printed codes."""

from typing import Annotated

from nightlatch.cli.connection import SENDING_DEADLINE
from nightlatch.cli.conversation import converse, new_password, typed
from nightlatch.cli.failure import failures_told
from nightlatch.cli.options import YesOption, text_argument
from nightlatch.cli.output import say
from nightlatch.cli.own_session import account_at
from nightlatch.cli.question import consent
from nightlatch.cli.signed_in import (
    ACCOUNT_SOCKET,
    NoSessionOption,
    SocketOption,
    UserOption,
    account_of,
    confirm_new,
    login_name,
    own_session,
)
from nightlatch.v1 import account_pb2
from nightlatch.v1.login_pb2 import Step


def security_mailbox(
    address: Annotated[str, text_argument("The mailbox.", "MAILBOX")],
    *,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Set your security email: emergency codes and notices go there. It is proven by a code sent to it."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        begun = own.call(
            own.service.BeginSecurityEmail, account_pb2.BeginSecurityEmailRequest(address=address)
        )
        confirm_new(own, begun.enrollment, done="Done. Emergency codes and notices go there from now on.")


def password(
    *, user: UserOption = "", no_session: NoSessionOption = False, socket: SocketOption = ACCOUNT_SOCKET
) -> None:
    """Change your password in the directory. Devices are no longer trusted then, other sessions end."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        account_of(own)
        old = typed("Password as it is: ", hidden=True)
        new = new_password()
        own.call(
            own.service.ChangePassword, account_pb2.ChangePasswordRequest(old_password=old, new_password=new)
        )
        say("Your password is changed.")


def forgot(*, user: UserOption = "", socket: SocketOption = ACCOUNT_SOCKET) -> None:
    """Set a forgotten password anew: by a code to your security email, and a second factor."""
    with failures_told(as_json=False), account_at(socket) as service:
        begin = account_pb2.BeginResetRequest(user=user or login_name())
        step = service.BeginReset(begin, timeout=SENDING_DEADLINE).step

        def send(ticket: bytes, answer: bytes) -> Step:
            request = account_pb2.AnswerResetRequest(ticket=ticket, answer=answer)
            return service.AnswerReset(request, timeout=SENDING_DEADLINE).step

        converse(step, send, new=True)


def new_codes(
    *,
    yes: YesOption = False,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Make new recovery codes. The old ones do not count any more."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        consent(
            "Make new codes, in place of the old ones?", yes=yes, as_json=False, unchanged="Nothing was made."
        )
        begun = own.call(own.service.RegenerateRecoveryCodes, account_pb2.RegenerateRecoveryCodesRequest())
        confirm_new(own, begun.enrollment)
