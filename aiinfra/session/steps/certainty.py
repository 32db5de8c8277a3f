"""What a preview could not know of a stack: the outputs it takes that no stack has given yet."""

from __future__ import annotations

from collections.abc import Mapping

from aiinfra.engine.digest import inputs_text
from aiinfra.engine.wire import Secret, Tree, Unknown
from aiinfra.plan.certainty import Certainty, public_outputs
from aiinfra.plan.planner import Step
from aiinfra.session.run import Run
from aiinfra.stack import Ref, SecretSource


def refs_of(step: Step) -> list[Ref]:
    """Every reference in the inputs of a stack."""
    found: list[Ref] = []

    def late(value: Ref | SecretSource) -> str:
        if isinstance(value, Ref):
            found.append(value)
        return ""

    inputs_text(step.inputs, late)
    return found


def certainty(run: Run, step: Step) -> Certainty:
    """How sure the preview of a stack is, by the values that it was given."""
    until: dict[str, dict[str, None]] = {}
    for ref in refs_of(step):
        given = run.outputs_of(ref.stack)
        asked = ref.output[:1] or public_outputs(run.plan.steps[ref.stack])
        missing = [name for name in asked if _holds_unknown(given.get(name))]
        until.setdefault(ref.stack, {}).update(dict.fromkeys(missing))
    return Certainty({stack: tuple(names) for stack, names in until.items() if names}, step.kind.external)


def _holds_unknown(tree: Tree) -> bool:
    if isinstance(tree, Secret):
        return _holds_unknown(tree.value)
    if isinstance(tree, Mapping):
        return any(map(_holds_unknown, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(_holds_unknown, tree))
    return isinstance(tree, Unknown)
