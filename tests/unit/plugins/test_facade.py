"""Nothing that a plugin returns, raises or leaves undone lets anybody in, or stops the daemon."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.factor import Challenge, Decision, Enrollment, EnrollmentRequest, Subject, Verdict
from nightlatch.plugins.facade import MOST_ABANDONED, CallContext, FactorFacade
from nightlatch.plugins.loader import load_factors
from nightlatch.testing import Repeatable
from nightlatch.testing.context import KitContext
from unit.plugins.shelf import factor_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.plugins.shelf import Shelf

SUBJECT = Subject("alice", "corp")
CONTEXT = CallContext(1000.0, 1010.0, Repeatable("facade"))
ASKING = KitContext(1000.0, 1010.0, Repeatable("facade"))
SOON = KitContext(1000.0, 1000.02, Repeatable("facade"))
CODE = "31415926"


def made(shelf: Shelf, steady: Callable[[], float] = lambda: 0.0, **bodies: str) -> FactorFacade:
    """The facade of a strange factor, loaded as the daemon does."""
    shelf.put_factor("strange", **bodies)
    return load_factors(["strange"], {}, steady)["strange"]


def verdict(shelf: Shelf, body: str) -> Verdict:
    """What leaves the facade when `verify` has this body."""
    return made(shelf, verify=body).verify(b"state", b"memo", CODE, CONTEXT)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return None", "verify returned NoneType, not a Verdict"),
        ("return True", "verify returned bool, not a Verdict"),
        ("return 1", "verify returned int, not a Verdict"),
        ('return ""', "verify returned str, not a Verdict"),
        ('return "ACCEPT"', "verify returned str, not a Verdict"),
        ("return Decision.ACCEPT", "verify returned Decision, not a Verdict"),
        ("return Verdict", "verify returned type, not a Verdict"),
        ("return type('Verdict', (Verdict,), {})(Decision.ACCEPT)", "verify returned Verdict, not a Verdict"),
        ("return Verdict(True)", "verify returned a verdict whose decision is bool, not a Decision"),
        ('return Verdict("accept")', "verify returned a verdict whose decision is str, not a Decision"),
        (
            "return Verdict(enum.Enum('Decision', {'ACCEPT': 'accept'}).ACCEPT)",
            "verify returned a verdict whose decision is Decision, not a Decision",
        ),
        (
            "return Verdict(type('All', (), {'__eq__': lambda s, o: True, '__hash__': lambda s: 1})())",
            "verify returned a verdict whose decision is All, not a Decision",
        ),
        (
            "return Verdict(object.__new__(Decision))",
            "verify returned a verdict whose decision is Decision, not a Decision",
        ),
        ("return object.__new__(Verdict)", "verify returned a Verdict with fields missing"),
        (
            "return Verdict(Decision.ACCEPT, b'x' * 4097)",
            "verify returned a state that is not at most 4096 bytes",
        ),
        (
            "return Verdict(Decision.ACCEPT, bytearray(1))",
            "verify returned a state that is not at most 4096 bytes",
        ),
        ("async def later(): pass\nreturn later().close()", "verify returned NoneType, not a Verdict"),
        ("raise ValueError(answer)", "verify raised ValueError at __init__.py:"),
        ("raise SystemExit(0)", "verify raised SystemExit at __init__.py:"),
        ("sys.exit(0)", "verify raised SystemExit at __init__.py:"),
        ("raise asyncio.CancelledError(answer)", "verify raised CancelledError at __init__.py:"),
        ("raise type('E' + chr(10) + answer[:0] + 'x', (BaseException,), {})", "verify raised E x at"),
        ("raise RecursionError(answer)", "verify raised RecursionError at __init__.py:"),
        ("raise KeyboardInterrupt", "verify raised KeyboardInterrupt at __init__.py:"),
    ],
)
def test_only_an_exact_verdict_is_believed(shelf: Shelf, body: str, reason: str) -> None:
    """PLG-01: what is not an exact Verdict with a real Decision grants nothing, and names its plugin."""
    with pytest.raises(Unavailable) as caught:
        verdict(shelf, body)
    assert caught.value.part == "factor strange"
    assert caught.value.reason.startswith(reason)
    assert str(caught.value).count("strange") == 1


@pytest.mark.parametrize(
    ("restored", "left"),
    [
        ("lambda state, context: state + b'!'", b"state!"),
        ("lambda state, context: str(context.now).encode()", b"1000.0"),
        ("lambda state, context: None", None),
        ("lambda state, context: 1 // 0", None),
        ("lambda state, context: sys.exit(0)", None),
        ("lambda state, context: 'state'", None),
        ("lambda state, context: bytearray(state)", None),
        ("lambda state, context: b'x' * 4097", None),
        ("None", None),
        ("", None),
    ],
)
def test_what_is_left_after_a_restore_is_a_state_or_nothing(
    shelf: Shelf, restored: str, left: bytes | None
) -> None:
    """STO-06: a factor that fails, answers nonsense or says nothing keeps no credential of a backup."""
    source = factor_source().replace(
        ", build)]", f", build, restored={restored})]" if restored else ", build)]"
    )
    shelf.put("strange", source)
    assert load_factors(["strange"], {})["strange"].restored(b"state", CONTEXT) == left


def test_an_exception_takes_no_secret_along(shelf: Shelf) -> None:
    """LEK-01: neither the error nor anything chained to it holds the message of a plugin's exception."""
    with pytest.raises(Unavailable) as caught:
        verdict(shelf, "try:\n    raise KeyError(answer)\nexcept KeyError:\n    raise ValueError(answer)")
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert CODE not in repr(error) + str(error)


@pytest.mark.parametrize("decision", list(Decision))
def test_each_decision_comes_through_as_a_copy(shelf: Shelf, decision: Decision) -> None:
    """Accept, reject and pending pass with state and reason, and the plugin keeps no hand on what passed."""
    facade = made(
        shelf,
        verify=f"made = Verdict(Decision.{decision.name}, b'new', 'because')\nself.made = made\nreturn made",
    )
    given = facade.verify(b"state", b"", CODE, CONTEXT)
    assert given == Verdict(decision, b"new", "because")
    assert given is not facade._factor.made  # type: ignore[attr-defined]  # the strange factor's own


@pytest.mark.parametrize("reason", ["7", "'a\\nb'", "'x' * 201", "answer * 2", "type('S', (str,), {})('a')"])
def test_a_refusal_stays_a_refusal_whatever_its_reason(shelf: Shelf, reason: str) -> None:
    """A reason that may not be logged is withheld; the guess still counts."""
    given = verdict(shelf, f"return Verdict(Decision.REJECT, reason={reason})")
    assert given.decision is Decision.REJECT
    assert given.reason.startswith("reason withheld")


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ("'offset=-1'", "offset=-1"),
        ("'offset=1 used=2'", "offset=1 used=2"),
        ("'code=31415926'", ""),
        ("'offset=1\\nresult=granted'", ""),
        ("'secret is x'", ""),
        ("'a=1 ' * 20", ""),
        ("7", ""),
        ("type('S', (str,), {})('offset=1')", ""),
    ],
)
def test_only_whole_numbers_with_names_get_into_the_audit(shelf: Shelf, facts: str, kept: str) -> None:
    """LEK-01: facts hold no text, nor what was typed; odd ones are left out, and the refusal stays one."""
    given = verdict(shelf, f"return Verdict(Decision.REJECT, facts={facts})")
    assert (given.decision, given.facts) == (Decision.REJECT, kept)
    assert CODE not in given.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return None", "returned NoneType, not a Challenge"),
        ("return 'Code'", "returned str, not a Challenge"),
        ("return Challenge('')", "returned a prompt that is not 1 to 200 printable letters"),
        ("return Challenge('x' * 201)", "returned a prompt that is not"),
        (r"return Challenge('\x1b]0;x\x07')", "returned a prompt that is not"),
        (r"return Challenge('a\rb')", "returned a prompt that is not"),
        ("return Challenge('x', echo=1)", "returned an echo that is not a bool"),
        ("return Challenge('x', memo=b'x' * 1025)", "returned a memo that is not at most 1024 bytes"),
        ("return Challenge('x', memo='x')", "returned a memo that is not"),
        ("raise ValueError(subject)", "raised ValueError at"),
        ("sys.exit(0)", "raised SystemExit at"),
        ("raise asyncio.CancelledError", "cancelled itself"),
        ("raise GeneratorExit", "raised GeneratorExit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    ],
)
async def test_only_an_exact_challenge_is_believed(shelf: Shelf, body: str, reason: str) -> None:
    """PLG-01, PAM-12: prompts are short and printable, and a plugin that exits does not end the loop."""
    with pytest.raises(Unavailable) as caught:
        await made(shelf, challenge=body).challenge(SUBJECT, b"state", ASKING)
    assert caught.value.reason.startswith(f"challenge {reason}")
    assert caught.value.__context__ is None or caught.value.__suppress_context__


async def test_a_silent_challenge_is_allowed(shelf: Shelf) -> None:
    """A factor may ask nothing."""
    facade = made(shelf, challenge="return Challenge(None, memo=b'm')")
    assert await facade.challenge(SUBJECT, b"state", ASKING) == Challenge(None, memo=b"m")


async def test_a_challenge_that_sleeps_is_cancelled_at_the_deadline(shelf: Shelf) -> None:
    """PLG-01: who does not answer by the deadline is unavailable, and is told to stop."""
    body = "self.ended = ''\ntry:\n    await asyncio.sleep(60)\nfinally:\n    self.ended = 'cancelled'"
    facade = made(shelf, challenge=body)
    with pytest.raises(Unavailable, match=r"challenge did not answer within 0\.02 s"):
        await facade.challenge(SUBJECT, b"state", SOON)
    await asyncio.sleep(0)
    assert facade._factor.ended == "cancelled"  # type: ignore[attr-defined]  # the strange factor's own


async def test_a_challenge_that_ignores_its_cancellation_is_not_waited_for(shelf: Shelf) -> None:
    """PLG-01: a stubborn plugin is left behind; with too many left behind, it is asked no more."""
    body = """
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await state_gate(self)
    """
    facade = made(shelf, challenge=body)
    gate = asyncio.Event()
    type(facade._factor).challenge.__globals__["state_gate"] = lambda _: gate.wait()
    tries = [facade.challenge(SUBJECT, b"state", SOON) for _ in range(MOST_ABANDONED)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    with pytest.raises(Unavailable, match="neither answered nor let go"):
        await facade.challenge(SUBJECT, b"state", ASKING)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    gate.set()
    await asyncio.wait(left)
    with pytest.raises(Unavailable, match="did not answer within"):
        await facade.challenge(SUBJECT, b"state", SOON)
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


async def test_a_caller_who_goes_takes_the_challenge_along(shelf: Shelf) -> None:
    """A cancelled login cancels the plugin's work, and stays a cancellation."""
    body = "try:\n    await asyncio.sleep(60)\nfinally:\n    self.ended = 'cancelled'"
    facade = made(shelf, challenge=body)
    task = asyncio.ensure_future(facade.challenge(SUBJECT, b"state", ASKING))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert facade._factor.ended == "cancelled"  # type: ignore[attr-defined]  # the strange factor's own


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return b'state'", "returned bytes, not an Enrollment"),
        ("return Enrollment('state')", "returned a state that is not at most 4096 bytes"),
        ("return Enrollment(b'x' * 4097)", "returned a state that is not at most 4096 bytes"),
        ("return Enrollment(b'x', 'ü')", "returned a QR payload"),
        ("return Enrollment(b'x', 'x' * 2049)", "returned a QR payload"),
        ("return Enrollment(b'x', '', [])", "returned details that are not a tuple"),
        ("return Enrollment(b'x', '', (('a', 'b'),) * 17)", "returned details that are not a tuple"),
        ("return Enrollment(b'x', '', (('a', 7),))", "returned a detail that is not"),
        ("return Enrollment(b'x', '', (('a', 'b', 'c'),))", "returned a detail that is not"),
        (r"return Enrollment(b'x', '', (('a', '\x1b[2J'),))", "returned a detail that is not"),
        ("raise SystemExit", "raised SystemExit at"),
    ],
)
def test_only_an_exact_enrollment_is_believed(shelf: Shelf, body: str, reason: str) -> None:
    """What is shown to a person is bounded and printable, and a state fits the store."""
    facade = made(shelf, enroll=body)
    with pytest.raises(Unavailable) as caught:
        facade.enroll(SUBJECT, EnrollmentRequest("phone"), CONTEXT)
    assert caught.value.reason.startswith(f"enroll {reason}")


def test_an_enrollment_comes_through(shelf: Shelf) -> None:
    """A well-formed enrolment passes as it is."""
    facade = made(shelf, enroll="return Enrollment(context.random_bytes(3), 'otp:x', (('a', 'ü'),))")
    enrollment = facade.enroll(SUBJECT, EnrollmentRequest("phone"), CONTEXT)
    assert (enrollment.qr_payload, enrollment.details) == ("otp:x", (("a", "ü"),))
    assert len(enrollment.state) == 3
    assert type(enrollment) is Enrollment


def test_an_answer_that_comes_too_late_does_not_count(shelf: Shelf) -> None:
    """PLG-01: an ACCEPT after the deadline is unavailable."""
    ticks = iter([0.0, 10.5])
    facade = made(shelf, lambda: next(ticks), verify="return Verdict(Decision.ACCEPT)")
    with pytest.raises(Unavailable, match=r"verify took 10\.5 s, which is too late to count"):
        facade.verify(b"state", b"", CODE, CONTEXT)


def test_nobody_joins_a_call_that_hangs(shelf: Shelf) -> None:
    """PLG-01: while one `verify` hangs for over a second, others are unavailable at once."""
    now = [0.0]
    facade = made(
        shelf,
        lambda: now[0],
        verify="if answer == 'hang':\n    state_inside.set(); state_gate.wait(30)\n"
        "return Verdict(Decision.REJECT, reason='wrong code')",
    )
    inside, gate = threading.Event(), threading.Event()
    type(facade._factor).verify.__globals__.update(state_inside=inside, state_gate=gate)
    hanging = threading.Thread(target=facade.verify, args=(b"", b"", "hang", CONTEXT))
    hanging.start()
    try:
        assert inside.wait(30)
        now[0] = 0.9
        assert facade.verify(b"", b"", CODE, CONTEXT).decision is Decision.REJECT
        now[0] = 1.1
        with pytest.raises(Unavailable, match="verify hangs in an earlier call"):
            facade.verify(b"", b"", CODE, CONTEXT)
    finally:
        gate.set()
        hanging.join(30)
    assert facade.verify(b"", b"", CODE, CONTEXT).decision is Decision.REJECT


def test_a_context_tells_nothing_of_its_source() -> None:
    """The repr of a context holds times only."""
    assert repr(CONTEXT) == "CallContext(now=1000.0, deadline=1010.0)"
