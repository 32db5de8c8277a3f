"""A plan as a table and as JSON: what there is to do, in which order, and what it refers to. Nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiinfra.model.display import in_words, public
from aiinfra.model.environment import Environment
from aiinfra.model.state_url import shown
from aiinfra.model.tree import Tree, dotted, is_list, is_map, leaves
from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.secrets import needed_secrets
from aiinfra.stack import Ref
from aiinfra.ui.tables import cut, table
from aiinfra.ui.terminal import Terminal


def plan_text(plan: Plan, terminal: Terminal) -> str:
    """`lab · 4 stacks · …`, one row a stack, then the longest chain and the secrets that `up` would read."""
    rows = [
        (step.name, step.kind.kind, _needs(step), cut(_settings(plan, step), max(20, terminal.width - 20)))
        for step in plan.steps.values()
    ]
    lines = [headline(plan.environment), table([("stack", "kind", "needs", "settings"), *rows], indent=2)]
    lines += [f"longest chain {' → '.join(longest_chain(plan))} · the world was not asked"]
    if sources := secret_sources(plan):
        lines.append(f"`up` reads {', '.join(sources)}")
    return "\n".join(lines)


def headline(environment: Environment) -> str:
    """`onprem · 3 stacks · state s3://infra-state`."""
    count = len(environment.stacks)
    if environment.target == "lab":
        where = "in a lab on this machine, simulated"
    else:
        where = f"state {shown(environment.state.url) or 'nowhere yet'}"
    return f"{environment.name} · {count} stack{'' if count == 1 else 's'} · {where}"


def plan_json(plan: Plan) -> dict[str, object]:
    """The same for machines: references and secret sources as they stand in the file."""
    return {
        "environment": plan.environment.name,
        "target": plan.environment.target,
        "stacks": [_stack_json(plan, step) for step in plan.steps.values()],
        "longest_chain": list(longest_chain(plan)),
        "secrets": secret_sources(plan),
    }


def _stack_json(plan: Plan, step: Step) -> dict[str, object]:
    inputs = plan.environment.stacks[step.name].inputs
    return {"name": step.name, "kind": step.kind.kind, "needs": _needs_sorted(step), "inputs": public(inputs)}


def longest_chain(plan: Plan) -> Sequence[str]:
    """The longest way through the needs: no run can be shorter than it. Steps are in an order that allows one pass."""
    chains: dict[str, tuple[str, ...]] = {}
    for name, step in plan.steps.items():
        before = max((chains[need] for need in _needs_sorted(step)), key=len, default=())
        chains[name] = (*before, name)
    return max(chains.values(), key=len, default=())


def secret_sources(plan: Plan) -> list[str]:
    """Every `${env:…}` and `${file:…}`, as written, once."""
    return list(dict.fromkeys(str(source) for source, _ in needed_secrets(plan)))


def _needs_sorted(step: Step) -> list[str]:
    return sorted(step.needs)


def _needs(step: Step) -> str:
    return ", ".join(_needs_sorted(step)) or "-"


def _settings(plan: Plan, step: Step) -> str:
    return " · ".join(_leaf_words(plan.environment.stacks[step.name].inputs)) or "-"


def _leaf_words(inputs: Mapping[str, Tree]) -> Iterator[str]:
    """Literals and secret sources; references stand under `needs` already."""
    for at, leaf in leaves(inputs):
        if not isinstance(leaf, Ref) and at and not (is_map(leaf) or is_list(leaf)):
            yield f"{dotted(at)} {in_words(leaf, at)}"
