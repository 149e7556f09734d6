"""Other models: right servers in front of a model that does not do as it is told.

The suite may not call them wrong. What depends on the model stays unjudged, for its mood.
"""

from __future__ import annotations

from typing import Any, Final

from responses_ws_reference.messages.calls import OUTPUTS
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import text_of
from responses_ws_reference.responses.engine import Call, Message, Outputs, Prompt, tokenize
from responses_ws_reference.seams.hooks import Hooks, Link
from responses_ws_reference.variants.registry import TERMINAL, register, rewriting

SMALL_TALK: Final = Message(tokenize("What a fine day it is today."))
REFUSAL: Final = Message(tokenize("I cannot help with that."))
UNKNOWN: Final = Message(("unknown",))


def _is_forced(prompt: Prompt) -> bool:
    return prompt.create.tool_choice not in ("auto", "none")


def _off_topic(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    return outputs if _is_forced(prompt) else (SMALL_TALK,)


def _only_when_forced(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    return outputs if _is_forced(prompt) else _without_calls(outputs)


def _without_calls(outputs: Outputs) -> Outputs:
    return tuple(output for output in outputs if isinstance(output, Message)) or (SMALL_TALK,)


def _one_call(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    return outputs[:1] if isinstance(outputs[0], Call) else outputs


def _calls_at_will(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    """Each call comes twice where it may, and once more in the place of what follows its output."""
    if isinstance(outputs[0], Call):
        shared["call"] = outputs[0]
        is_alone = prompt.create.fields.get("parallel_tool_calls") is False
        return outputs if is_alone else (*outputs, outputs[0])
    names = [tool.get("name") for tool in prompt.create.callable_tools]
    may_call = prompt.create.tool_choice == "auto" and prompt.context[-1]["type"] in OUTPUTS
    call = shared.get("call")
    return (call,) if may_call and call and call.name in names else outputs


def _forgetful(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    """Every third time that it is asked the model does not know the code word."""
    if "What is the code word?" not in _last_text(prompt) or isinstance(outputs[0], Call):
        return outputs
    count = shared["asked"] = shared.get("asked", 0) + 1
    return (UNKNOWN,) if count % 3 == 0 else outputs


def _last_text(prompt: Prompt) -> str:
    said = [item for item in prompt.context if item["type"] == "message" and item["role"] == "user"]
    return text_of(said[-1]["content"]) if said else ""


def _refusing(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    return outputs if _is_forced(prompt) else (REFUSAL,)


def _stopped(event: Event, link: Link) -> list[Event]:
    """Every fifth response with output ends as if a filter had stopped it there."""
    if event["type"] != "response.completed" or not event["response"]["output"]:
        return [event]
    count = link.shared["ended"] = link.shared.get("ended", 0) + 1
    if count % 5:
        return [event]
    why = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    response = {**event["response"], **why, "completed_at": None}
    return [{**event, "type": "response.incomplete", "response": response}]


def _as_refusals(event: Event, link: Link) -> list[Event]:
    """Texts are content parts of type refusal."""
    if event["type"] in TERMINAL:
        event["response"]["output"] = [_refused(item) for item in event["response"]["output"]]
    elif "item" in event:
        event["item"] = _refused(event["item"])
    elif "part" in event:
        event["part"] = _refusal(event["part"])
    elif event["type"].startswith("response.output_text."):
        event["type"] = event["type"].replace("output_text", "refusal")
        del event["logprobs"]
        if "text" in event:
            event["refusal"] = event.pop("text")
    return [event]


def _refused(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "message":
        return item
    return {**item, "content": [_refusal(part) for part in item["content"]]}


def _refusal(part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "refusal", "refusal": part["text"]} if part["type"] == "output_text" else part


register(
    "off-topic",
    "The model talks about something else unless a call is forced.",
    Hooks(mood=_off_topic),
    leaves_open=("mood",),
)
register(
    "calls-only-when-forced",
    "The model calls no tool unless tool_choice demands it.",
    Hooks(mood=_only_when_forced),
    leaves_open=("mood",),
)
register(
    "one-call-at-a-time",
    "The model never makes more than one call in a response.",
    Hooks(mood=_one_call),
)
register(
    "calls-at-will",
    "The model makes each call twice, and once more when it is answered.",
    Hooks(mood=_calls_at_will),
    leaves_open=("mood",),
)
register(
    "filtered",
    "Every fifth response is stopped by a content filter.",
    rewriting(_stopped),
    leaves_open=("mood",),
)
register(
    "forgetful",
    "Every third time that it is asked the model does not know the code word.",
    Hooks(mood=_forgetful),
    leaves_open=("mood",),
)
register(
    "refusing",
    "The model refuses everything, in content parts of type refusal.",
    Hooks(mood=_refusing, outgoing=rewriting(_as_refusals).outgoing),
    leaves_open=("mood",),
)
