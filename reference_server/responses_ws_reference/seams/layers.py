"""Optional layers that can be switched off: what a server does that does not have one.

Such a server conforms too, as long as its profile does not claim the layer. A layer is taken away
from outside, like everything else that makes one server different from another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from responses_ws_reference.messages.calls import CUSTOM, PATCH, SHELL
from responses_ws_reference.messages.handshake import COMPACT, HandshakeAnswer, HttpRequest, refusal
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply
from responses_ws_reference.session.commands import unsupported
from responses_ws_reference.session.store import Snapshot


def _nothing_is_stored(snapshot: Snapshot) -> bool:
    return False


def _generate_is_unknown(message: Incoming, link: Link) -> Incoming:
    """What a server does not know it ignores, so the create generates."""
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return message
    known = {name: value for name, value in message.items() if name != "generate"}
    options = known.get("prompt_cache_options")
    if isinstance(options, dict):
        known["prompt_cache_options"] = {n: v for n, v in options.items() if n != "prewarm"}
    return known


def _lanes_have_no_names(name: Any) -> Refusal | None:
    """To ignore the field would be a lie: its creates would wait for each other."""
    if name is None:
        return None
    return Refusal("unsupported_parameter", "'stream_id' is not supported here.", "stream_id")


def _compaction_is_unknown(message: Incoming, link: Link) -> Incoming:
    """What a server does not know it ignores, so the context only grows."""
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return message
    return {name: value for name, value in message.items() if name != "context_management"}


def _nothing_compacts(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    is_asked = request.method == "POST" and request.path.partition("?")[0] == COMPACT
    return refusal(404) if is_asked else answer


def without_command(kind: str) -> Callable[[Incoming, Link], Incoming | Reply]:
    """A command that is not known is refused like any other event that is none of the client's."""

    def refuse(message: Incoming, link: Link) -> Incoming | Reply:
        if isinstance(message, dict) and message.get("type") == kind:
            return Reply((unsupported(kind).event(),))
        return message

    return refuse


def _custom_tools_are_passed_over(message: Incoming, link: Link) -> Incoming:
    """Tools of kinds that are not known are left aside, and cannot be forced then."""
    tools = message.get("tools") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(tools, list):
        return message
    unknown = (CUSTOM.tool, SHELL.tool, PATCH.tool)
    known = [t for t in tools if not isinstance(t, dict) or t.get("type") not in unknown]
    return {**message, "tools": known}


def _nobody_reasons(message: Incoming, link: Link) -> Incoming:
    """A model that does not think has nothing to show for what is asked of its thoughts."""
    if not isinstance(message, dict):
        return message
    return {name: value for name, value in message.items() if name != "reasoning"}


def _agents_are_unknown(message: Incoming, link: Link) -> Incoming | Reply:
    """To ignore the agents would be a lie: whoever asks for them waits to be asked for outputs."""
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return without_command("response.inject")(message, link)
    if message.get("multi_agent") is None:
        return message
    why = "'multi_agent' is not supported here."
    error = Refusal("unsupported_parameter", why, "multi_agent").event()
    return Reply(({**error, **{n: v for n, v in message.items() if n == "stream_id"}},))


WITHOUT: Final[Mapping[str, Hooks]] = {
    "storage": Hooks(policies={"keeps": _nothing_is_stored}),
    "warmup": Hooks(incoming=_generate_is_unknown),
    "lanes": Hooks(policies={"judge_lane": _lanes_have_no_names}),
    "compaction": Hooks(incoming=_compaction_is_unknown, http=_nothing_compacts),
    "steering": Hooks(incoming=without_command("response.steer")),
    "interrupt": Hooks(incoming=without_command("response.interrupt")),
    "inject": Hooks(incoming=_agents_are_unknown),
    "custom-tools": Hooks(incoming=_custom_tools_are_passed_over),
    "reasoning": Hooks(incoming=_nobody_reasons),
}
