"""What a create continues from, and the context that it runs on; both transports ask here."""

from __future__ import annotations

from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.refusals import Refusal, Refused, quoted
from responses_ws_reference.responses.compaction import unfolded
from responses_ws_reference.session.policies import Cache, Policies
from responses_ws_reference.session.store import Snapshot


def check_model(create: Create, served: str) -> None:
    """A create asks for the model that is served, or for none in particular."""
    model = create.fields.get("model", served)
    if model != served:
        message = f"The model {quoted(model)} does not exist."
        raise Refused(Refusal("model_not_found", message, "model"))


def find_previous(create: Create, policies: Policies, cache: Cache, shelf: Cache) -> Snapshot:
    """The response that a create names, or nothing where it names none."""
    wanted = create.previous_response_id
    previous = policies.resolve(wanted, cache, shelf)
    if previous is None:
        message = f"Previous response with id {quoted(wanted or '')} not found."
        raise Refused(Refusal("previous_response_not_found", message, "previous_response_id"))
    return previous


def gather_context(create: Create, policies: Policies, previous: Snapshot) -> Context:
    """What the model is to see, once every call in it has its output."""
    context = Context(policies.prune(Context(policies.gather(previous, create))))
    if mismatch := policies.match_calls(unfolded(context)):
        raise Refused(mismatch)
    return context
