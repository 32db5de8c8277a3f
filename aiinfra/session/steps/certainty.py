"""How certain the preview of a stack is: it depends on inputs that no stack has given yet."""

from __future__ import annotations

from aiinfra.engine.digest import inputs_text
from aiinfra.engine.wire import holds_unknown
from aiinfra.plan.certainty import Certainty, told_outputs
from aiinfra.plan.planner import Step
from aiinfra.session.run import Run
from aiinfra.stack import Ref, SecretSource


def refs_of(step: Step) -> list[Ref]:
    """Return every reference in the inputs of a stack."""
    found: list[Ref] = []

    def collect(value: Ref | SecretSource) -> str:
        if isinstance(value, Ref):
            found.append(value)
        return ""

    inputs_text(step.inputs, collect)
    return found


def certainty(run: Run, step: Step) -> Certainty:
    """Return how certain the preview of a stack is, given the values of its inputs."""
    until: dict[str, dict[str, None]] = {}
    for ref in refs_of(step):
        given = run.outputs_of(ref.stack)
        asked = ref.output[:1] or told_outputs(run.plan.steps[ref.stack])
        missing = [name for name in asked if holds_unknown(given.get(name))]
        until.setdefault(ref.stack, {}).update(dict.fromkeys(missing))
    return Certainty({stack: tuple(names) for stack, names in until.items() if names}, step.kind.foreign)
