"""What healthy exchanges and refusals look like; the phrases that many checks share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from responses_ws_conformance.checks import Cause, Finding, Mark, Outcome, Undecided
from responses_ws_conformance.reading.exchanges import Exchange, reason_of
from responses_ws_conformance.values import excerpt, present

# What a connection breaks that ends when a create is refused; the creates behind it are lost too.
CLOSED_BY_REFUSAL: Final = "RWS-ERROR-009"
NOT_FOUND: Final = "previous_response_not_found"
# How a create can fail: before there is a response, or, where the model finds the mistake, with it.
FAILED: Final = ("error", "failed")
TRANSIENT_STATUSES: Final = frozenset({408, 425, 429})
TRANSIENT_CODES: Final = frozenset(
    {
        "insufficient_quota",
        "internal_error",
        "internal_server_error",
        "model_error",
        "rate_limit_exceeded",
        "server_error",
        "server_is_overloaded",
        "service_unavailable",
        "slow_down",
        "too_many_requests",
        "usage_limit_reached",
    }
)
# What ends a response early that is about the model and what it says, not about the server.
MOODS: Final = frozenset({"content_filter", "max_messages", "max_output_tokens"})
TRANSIENT_CLOSES: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013})


def is_transient(exchange: Exchange) -> bool:
    """True where the target was busy, limited or restarting, which is no verdict about it."""
    if exchange.outcome == "error":
        status = exchange.error_status
        busy = status is not None and (status >= 500 or status in TRANSIENT_STATUSES)
        return busy or exchange.error_code in TRANSIENT_CODES
    if exchange.outcome == "failed":
        # Without a code nobody says that the create was at fault (RWS-EVENT-009 says the rest).
        error = exchange.response.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        return code is None or (isinstance(code, str) and code in TRANSIENT_CODES)
    if exchange.outcome == "closed" and exchange.closed is not None:
        closed = exchange.closed
        return closed.side == "lost" or closed.code is None or closed.code in TRANSIENT_CLOSES
    return False


def is_moody(exchange: Exchange) -> bool:
    """True where the model was stopped before it had said all, which is no verdict either."""
    reason = reason_of(exchange.response)
    is_stopped = exchange.outcome == "incomplete" and not exchange.is_warm_up
    return is_stopped and isinstance(reason, str) and reason in MOODS


def describe(exchange: Exchange) -> str:
    """What came of an exchange, in words for a report."""
    match exchange.outcome:
        case "error":
            return f"an error event: {describe_error(exchange)}"
        case "closed":
            closed = exchange.closed
            if closed is None or closed.side == "lost":
                return "the connection was lost without a close frame"
            return f"the connection was closed with {closed.code} {closed.reason!r}"
        case "expired":
            return "no answer within the time limit"
        case "limit":
            return "the connection reached its lifetime limit"
        case "open":
            return "nothing until the recording ended"
        case "answered":
            return describe_answer(exchange)
        case "failed":
            return f"response.failed with error {excerpt(exchange.response.get('error'))}"
        case "incomplete":
            return f"response.incomplete, {excerpt(exchange.response.get('incomplete_details'))}"
        case outcome:
            return f"response.{outcome}"


def describe_answer(exchange: Exchange) -> str:
    """What a command was answered with, in words for a report."""
    if exchange.answer is None:
        return "no answer"
    error = exchange.answer.payload.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return f"{exchange.answer.type}" + (f" with code {excerpt(code)}" if code is not None else "")


def describe_error(exchange: Exchange) -> str:
    """Status, code, param and message of an error event, in words for a report."""
    error = exchange.error_object
    parts = [
        f"{name} {value!r}" if isinstance(value, str) else f"{name} {present(value)}"
        for name, value in (
            ("status", exchange.error_status),
            ("code", error.get("code")),
            ("param", error.get("param")),
            ("message", error.get("message")),
        )
        if value is not None
    ]
    if parts or exchange.error is None:
        return ", ".join(parts)
    return f"without status, code and message: {(exchange.error.text or '')[:80]}"


def answered(
    exchange: Exchange, *, by: tuple[str, ...] = ("completed",), is_about_refusals: bool = False
) -> Iterator[Outcome]:
    """Yield why an exchange that owed a response has none; nothing where it has one.

    A connection that ended with the refusal of another create explains it, unless the sentence
    ``is_about_refusals`` and what they cost.
    """
    if exchange.outcome in by:
        return
    if exchange.is_ambiguous:
        yield Undecided(Cause.BLOCKED, f"perhaps for another create: {describe(exchange)}")
    elif exchange.outcome in ("expired", "open", "limit"):
        yield Undecided(Cause.TIME, describe(exchange))
    elif is_transient(exchange):
        yield Undecided(Cause.TRANSIENT, describe(exchange))
    elif is_moody(exchange):
        yield Undecided(Cause.MOOD, describe(exchange))
    else:
        wanted = f"a response that ends with {' or '.join(f'response.{name}' for name in by)}"
        end = exchange.closed if exchange.outcome == "closed" else None
        is_explained = exchange.is_cut_by_refusal and not is_about_refusals
        root = CLOSED_BY_REFUSAL if end is not None and is_explained else None
        at = end.n if end is not None else exchange.last
        yield Finding(at, wanted, describe(exchange), root=root)


def unanswered(
    command: Exchange, wanted: str, *, fences: Sequence[Exchange] = ()
) -> Iterator[Outcome]:
    """Yield why a command was not answered as it should have been.

    A create of ``fences`` was sent after it; where that was answered, silence is no slowness.
    """
    is_silent = command.outcome in ("expired", "open")
    if is_silent and any(x.outcome in ("completed", "incomplete") for x in fences):
        seen = "none, though a create that was sent later was answered"
        yield Finding(command.last, wanted, seen)
    elif is_silent or command.outcome == "limit":
        yield Undecided(Cause.TIME, describe(command))
    elif is_transient(command):
        yield Undecided(Cause.TRANSIENT, describe(command))
    else:
        yield Finding(command.last, wanted, describe(command))


def refused(
    exchange: Exchange, *, codes: tuple[str, ...] = (), what: str = ""
) -> Iterator[Outcome]:
    """Yield why an exchange was not refused with an error event for the reason at hand.

    ``codes``, where given, are the acceptable values of ``error.code``; otherwise any 4xx, or an
    error without a status, counts as a refusal. ``what`` completes "an error event …". A server
    that has no code for any id that it does not know (RWS-CHAIN-005) has none here either.
    """
    wanted = f"an error event {what}".strip()
    if codes:
        wanted += f" with error.code {' or '.join(codes)}"
    if exchange.outcome in ("expired", "open", "limit"):
        yield Undecided(Cause.TIME, describe(exchange))
    elif is_transient(exchange):
        yield Undecided(Cause.TRANSIENT, describe(exchange))
    elif exchange.outcome != "error" or (codes and exchange.error_code not in codes):
        has_no_code = exchange.outcome == "error" and exchange.error_code is None
        root = "RWS-CHAIN-005" if has_no_code else None
        yield Finding(exchange.last, wanted, describe(exchange), root=root)


def without_control(mark: Mark, *, by: str) -> Iterator[Outcome]:
    """Yield where a refusal proves nothing, because the ``control`` was refused too.

    ``by`` is the requirement that the failure of the control breaks.
    """
    control = mark.exchange("control")
    if control.outcome not in ("completed", "incomplete"):
        why = f"the refusal proves nothing; the control: {describe(control)}"
        is_busy = is_transient(control)
        cause = Cause.TRANSIENT if is_busy else Cause.BLOCKED
        yield Undecided(cause, why, by=None if is_busy else by)


def rejected(mark: Mark, what: str, *, control_by: str) -> Iterator[Outcome]:
    """Yield why the subject was not refused for what is wrong with it, or why that proves nothing.

    Servers that find the mistake only when they ask the model start a response and fail it. To
    call the continued response unknown is another reason than the one at hand. ``control_by`` is
    what the failure of the control breaks.
    """
    subject = mark.exchange()
    if subject.outcome == "failed" and not is_transient(subject):
        outcomes: list[Outcome] = []
    elif subject.outcome == "error" and subject.error_code == NOT_FOUND:
        outcomes = [Finding(subject.last, f"an error event {what}", describe(subject))]
    else:
        outcomes = list(refused(subject, what=what))
    yield from outcomes or without_control(mark, by=control_by)


RECALLS_THAT_PROVE: Final = 3


def contains(exchange: Exchange, word: str) -> bool:
    """True where the answer contains a code word."""
    return word.lower() in exchange.text.lower()


def has_called(exchange: Exchange) -> bool:
    """True where the answer calls a tool and says nothing."""
    kinds = [str(item.get("type")) for item in exchange.output_items]
    return not exchange.text and any(kind.endswith("_call") for kind in kinds)


def input_tokens(exchange: Exchange) -> int:
    """How many tokens the model read by the target's own count; 0 where it does not count."""
    usage = exchange.response.get("usage")
    tokens = usage.get("input_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) and exchange.terminal is not None else 0


def recalled(mark: Mark) -> Iterator[Outcome]:
    """Yield why a planted word did not come back.

    ``recalls`` asked through the chain, ``controls`` asked with the whole history in one create.
    Recalled there, repeatedly, but never through the chain, is a violation; recalled nowhere is
    a moody model, and so is one that calls a tool where it was asked to speak.
    """
    word = str(mark.fact("word"))
    recalls, controls = mark.exchanges("recalls"), mark.exchanges("controls")
    if any(contains(x, word) for x in recalls):
        return
    hits = sum(contains(x, word) for x in controls)
    misses = [x for x in recalls if not has_called(x)]
    if hits >= RECALLS_THAT_PROVE and len(misses) >= RECALLS_THAT_PROVE:
        yield Finding(
            misses[-1].last,
            f"an answer with {word!r}, which was given earlier in the chain",
            f"{len(misses)} answers without it, the last {misses[-1].text[:80]!r}; with the "
            f"whole history in one create the answer had it {hits} times",
        )
    elif len(misses) < len(recalls):
        yield Undecided(Cause.MOOD, f"the model called a tool where it was asked for {word!r}")
    else:
        yield Undecided(
            Cause.MOOD, f"the model did not bring back {word!r} even with the whole history at hand"
        )


def not_recalled(mark: Mark) -> Iterator[Outcome]:
    """Yield where a word came back that the ``subject`` was not given.

    ``controls`` are exchanges that were given it; unless one of them brought it back, the silence
    of the subject proves nothing.
    """
    word = str(mark.fact("word"))
    subject = mark.exchange()
    if contains(subject, word):
        yield Finding(
            subject.last,
            f"an answer that cannot know {word!r}, which is not in its context",
            f"the answer {subject.text[:80]!r}",
        )
    elif not any(contains(x, word) for x in mark.exchanges("controls")):
        yield Undecided(Cause.MOOD, f"the model did not bring back {word!r} where it was given")


def tools_of(value: Mapping[str, Any]) -> list[str]:
    """The names of the tools that a create or a response lists."""
    tools = value.get("tools")
    names = [t.get("name") for t in tools if isinstance(t, dict)] if isinstance(tools, list) else []
    return [name for name in names if isinstance(name, str)]


def answered_like_others(mark: Mark) -> Iterator[Outcome]:
    """Yield why a create that was sent in an unusual way has no response.

    ``subject`` was sent so, again on a new connection where the first was closed; ``fence`` is a
    plain create after it. Each lists a tool of its own, so a response tells whose it is: where
    only the fence has one, the subject was not slow but dropped.
    """
    subjects, fence = mark.exchanges("subject"), mark.exchange("fence")
    subject = mark.latest()
    if subject.expired is not None:
        listed = {name for x in (subject, fence) for name in tools_of(x.response)}
        if listed & set(tools_of(subject.request)):
            return
        if listed & set(tools_of(fence.request)):
            actual = "none, though the create sent after it has one"
            yield Finding(subject.expired.n, "a response to the create", actual)
        else:
            yield Undecided(Cause.TIME, describe(subject))
    elif fence.outcome != "completed" and subject.outcome != "completed":
        cause = Cause.TRANSIENT if is_transient(fence) else Cause.BLOCKED
        why = f"a plain create got no response either: {describe(fence)}"
        yield Undecided(cause, why, "RWS-CREATE-001" if cause is Cause.BLOCKED else None)
    elif subject.outcome == "closed" and len(subjects) > 1:
        yield Finding(subject.last, "a response to the create", f"{describe(subject)}, twice")
    else:
        yield from answered(subject)
