"""Reads ``response.create``: which fields it may have, of which types, within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.calls import NAMED, is_called_here, key
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item, read_input
from responses_ws_reference.messages.refusals import quoted, refuse
from responses_ws_reference.messages.rules import nullable

_TOOL = rules.members(
    ("type",),
    type=rules.text(),
    description=nullable(rules.text()),
    parameters=nullable(rules.mapping),
    strict=nullable(rules.boolean),
    format=nullable(rules.mapping),
    environment=nullable(rules.mapping),
)
_NAMED = rules.members(("name",), name=rules.text())
_FORMAT = rules.members(
    ("type",), type=rules.one_of("text", "json_object", "json_schema"), schema=rules.mapping
)

_CONTEXT_MANAGEMENT = rules.members(
    ("type",),
    type=rules.one_of("compaction"),
    compact_threshold=nullable(rules.integer(at_least=1000)),
)

_MULTI_AGENT = rules.members(
    ("enabled",),
    enabled=rules.boolean,
    max_concurrent_subagents=nullable(rules.integer(at_least=1)),
)


def _metadata(value: Any, path: str) -> None:
    """Up to 16 pairs of short strings."""
    rules.mapping(value, path)
    if len(value) > 16:
        raise refuse("object_above_max_properties", f"Invalid '{path}': more than 16 pairs.", path)
    for name, member in value.items():
        rules.text(at_most=64)(name, path)
        rules.text(at_most=512)(member, f"{path}.{name}"[:100])


def _tool(value: Any, path: str) -> None:
    """A tool of any type; functions and custom tools have a name."""
    _TOOL(value, path)
    if value["type"] in NAMED:
        _NAMED(value, path)


def _tool_choice(value: Any, path: str) -> None:
    """A mode, or an object that names its kind."""
    if isinstance(value, str):
        rules.one_of("none", "auto", "required")(value, path)
        return
    rules.members(
        ("type",),
        type=rules.text(),
        name=rules.text(),
        mode=rules.one_of("auto", "required"),
        tools=rules.array(rules.members(type=rules.text(), name=rules.text())),
    )(value, path)
    if value["type"] in NAMED:
        _NAMED(value, path)


# Fields that are not named here are let through: clients send private ones.
FIELDS: Final[Mapping[str, rules.Rule]] = {
    "model": nullable(rules.text()),
    "previous_response_id": nullable(rules.text()),
    "instructions": nullable(rules.text()),
    "tools": nullable(rules.array(_tool)),
    "tool_choice": nullable(_tool_choice),
    "parallel_tool_calls": nullable(rules.boolean),
    "store": nullable(rules.boolean),
    "generate": nullable(rules.boolean),
    "stream": nullable(rules.boolean),
    "stream_options": nullable(rules.mapping),
    "background": nullable(rules.boolean),
    "include": nullable(rules.array(rules.text())),
    "metadata": nullable(_metadata),
    "text": nullable(
        rules.members(format=_FORMAT, verbosity=nullable(rules.one_of("low", "medium", "high")))
    ),
    "reasoning": nullable(
        rules.members(
            effort=nullable(rules.text()),
            summary=nullable(rules.one_of("auto", "concise", "detailed")),
        )
    ),
    "temperature": nullable(rules.number(0, 2)),
    "top_p": nullable(rules.number(0, 1)),
    "presence_penalty": nullable(rules.number(-2, 2)),
    "frequency_penalty": nullable(rules.number(-2, 2)),
    "top_logprobs": nullable(rules.integer(at_least=0, at_most=20)),
    "max_output_tokens": nullable(rules.integer(at_least=16)),
    "max_tool_calls": nullable(rules.integer(at_least=1)),
    "truncation": nullable(rules.one_of("auto", "disabled")),
    "service_tier": nullable(rules.text()),
    "safety_identifier": nullable(rules.text(at_most=128)),
    "prompt_cache_key": nullable(rules.text(at_most=64)),
    "prompt_cache_options": nullable(rules.members(prewarm=rules.boolean)),
    "context_management": nullable(rules.array(_CONTEXT_MANAGEMENT)),
    "multi_agent": nullable(_MULTI_AGENT),
    "user": nullable(rules.text()),
}

# Known fields of the protocol that this server does not offer; ignoring them would be a lie.
NOT_OFFERED: Final = ("conversation", "prompt")
# What agents that work side by side cannot have.
NOT_FOR_AGENTS: Final = ("max_tool_calls", "reasoning.summary")


@dataclass(frozen=True, slots=True)
class Create:
    """A ``response.create`` that follows every rule; ``fields`` are those that were not null."""

    fields: Mapping[str, Any]
    items: tuple[Item, ...]

    @property
    def previous_response_id(self) -> str | None:
        """The response to continue from."""
        return self.fields.get("previous_response_id")

    @property
    def instructions(self) -> str | None:
        """What the model is told before everything else, for this response only."""
        return self.fields.get("instructions")

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools declared for this response."""
        tools: list[dict[str, Any]] = self.fields.get("tools", [])
        return tools

    @property
    def callable_tools(self) -> list[dict[str, Any]]:
        """The tools that the client executes and this model can call."""
        return [tool for tool in self.tools if is_called_here(tool)]

    @property
    def tool_choice(self) -> str | dict[str, Any]:
        """Whether and which tools are called."""
        choice: str | dict[str, Any] = self.fields.get("tool_choice", "auto")
        return choice

    @property
    def compact_threshold(self) -> int | None:
        """How many tokens the context may have before it is folded."""
        entries = self.fields.get("context_management", ())
        found = [entry.get("compact_threshold") for entry in entries]
        return min((threshold for threshold in found if threshold is not None), default=None)

    @property
    def asks_for_reasoning(self) -> bool:
        """True where the model is to think before it answers."""
        reasoning = self.fields.get("reasoning")
        return reasoning is not None and reasoning.get("effort") != "none"

    @property
    def asks_for_summary(self) -> bool:
        """True where the reasoning is to be summed up for the client."""
        return self.asks_for_reasoning and self.fields["reasoning"].get("summary") is not None

    @property
    def asks_for_sealed_reasoning(self) -> bool:
        """True where the client wants to carry the reasoning along."""
        return "reasoning.encrypted_content" in self.fields.get("include", ())

    @property
    def has_agents(self) -> bool:
        """True where agents of the server's own work on the response together."""
        return self.fields.get("multi_agent", {}).get("enabled") is True

    @property
    def is_stored(self) -> bool:
        """True where the response may be resumed from another connection."""
        return self.fields.get("store") is not False

    @property
    def is_warm_up(self) -> bool:
        """True where the response only prepares state for the next one."""
        options = self.fields.get("prompt_cache_options", {})
        return self.fields.get("generate") is False or options.get("prewarm") is True


def read_create(event: Event) -> Create:
    """The create in a client event."""
    for name in NOT_OFFERED:
        if event.get(name) is not None:
            raise refuse("unsupported_parameter", f"'{name}' is not supported here.", name)
    for name, rule in FIELDS.items():
        if name in event:
            rule(event[name], name)
    fields = {name: value for name, value in event.items() if value is not None}
    if fields.get("background"):
        raise refuse(
            "unsupported_value", "Background responses are not run over WebSocket.", "background"
        )
    create = Create(fields, read_input(fields.get("input", [])))
    _check_agents(create)
    _check_tool_choice(create)
    if not create.items and create.previous_response_id is None and not create.is_warm_up:
        raise rules.missing("input")
    return create


def _check_agents(create: Create) -> None:
    """Agents come without what cannot be had with them."""
    for path in NOT_FOR_AGENTS if create.has_agents else ():
        name, _, member = path.partition(".")
        given = create.fields.get(name)
        if given is not None and (not member or given.get(member) is not None):
            message = f"'{path}' is not supported with 'multi_agent'."
            raise refuse("unsupported_parameter", message, path)


def _check_tool_choice(create: Create) -> None:
    """A demand for a call can be met by the tools that are declared."""
    tools = {key(tool) for tool in create.callable_tools}
    match create.tool_choice:
        case "required" if not tools:
            raise refuse(
                "invalid_value",
                "'tool_choice' is 'required' but no tool of the client is declared.",
                "tool_choice",
            )
        case {"type": "function" | "custom" as kind, "name": str(name)} if (
            key({"type": kind, "name": name}) not in tools
        ):
            raise refuse(
                "invalid_value",
                f"'tool_choice' names {quoted(name)}, which is not declared.",
                "tool_choice",
            )
        case {"type": "shell" | "apply_patch" as kind} if key({"type": kind}) not in tools:
            raise refuse(
                "invalid_value",
                f"'tool_choice' is '{kind}', which is not declared.",
                "tool_choice",
            )
        case {"type": "allowed_tools", "mode": "required", "tools": list(allowed)} if not (
            tools & {key(each) for each in allowed}
        ):
            raise refuse(
                "invalid_value",
                "'tool_choice' allows none of the declared tools.",
                "tool_choice",
            )
