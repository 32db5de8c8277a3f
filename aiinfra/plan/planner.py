"""From an environment and a catalogue to a plan, or to everything that is wrong. Pure: no files, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.errors import ConfigError, Problem
from aiinfra.model.environment import Environment
from aiinfra.model.tree import Flaw, dotted
from aiinfra.plan.graph import cycles, topological_order
from aiinfra.plan.inputs import validate
from aiinfra.plan.references import Entries, Kinds, check_stack, references
from aiinfra.plan.suggestions import did_you_mean
from aiinfra.stack import Inputs, Rules, RulesAround, StackName, StackType, Surroundings, Violation


@dataclass(frozen=True, slots=True)
class Step:
    """One stack as it will be run."""

    name: StackName
    kind: StackType[Any, Any]
    inputs: Inputs
    """Checked; leaves may be `Ref` or `SecretSource`."""
    needs: frozenset[StackName]
    """Stacks that must be up before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The stacks of an environment in the order in which they run."""

    environment: Environment
    steps: Mapping[StackName, Step]
    """In an order in which each stack comes after those it needs."""

    @property
    def needs(self) -> Mapping[StackName, frozenset[StackName]]:
        return {name: step.needs for name, step in self.steps.items()}


def plan(environment: Environment, catalog: Kinds) -> Plan:
    """Return the plan of an environment that no file holds. Raises `ConfigError` with every problem, by path."""
    steps, flaws = draft(environment.stacks, environment.name, environment.target, catalog)
    if flaws:
        raise ConfigError(problems=[Problem("", dotted(f.at), f.message, f.hint, f.code) for f in flaws])
    return Plan(environment, steps)


def draft(
    entries: Entries, environment: str, target: str, kinds: Kinds, hardware: Sequence[Any] = ()
) -> tuple[Mapping[StackName, Step], Sequence[Flaw]]:
    """Return the steps in order and every flaw; the steps are complete only when there is no flaw.

    `hardware` is what the file describes of a lab: `Surroundings.hardware`.
    """
    flaws: list[Flaw] = []
    inputs: dict[StackName, Inputs] = {}
    for name, entry in entries.items():
        kind = kinds.get(entry.kind)
        if kind is None:
            flaws += _unknown_kind(name, entry.kind, kinds)
            continue
        valid, found = validate(kind.inputs, entry.inputs, ("stacks", name))
        flaws += [*found, *check_stack(name, entries, kinds)]
        if valid is not None:
            inputs[name] = valid
    needs = {name: _needs(name, entries) for name in entries}
    flaws += _cycle_flaws(needs, entries)
    stacks = {name: (entries[name].kind, made) for name, made in inputs.items()}
    around = Surroundings(environment, "lab" if target == "lab" else "real", stacks, hardware)
    flaws += _rule_flaws(entries, inputs, around, kinds)
    made = (n for n in topological_order(needs) if n in inputs)
    return {n: Step(n, kinds[entries[n].kind], inputs[n], needs[n]) for n in made}, flaws


def _unknown_kind(name: StackName, kind: str, kinds: Kinds) -> Iterator[Flaw]:
    """Yield a flaw for a kind that is not installed; an entry without a kind is a flaw of its form."""
    if kind:
        near = did_you_mean(kind, kinds)
        yield Flaw(("stacks", name, "kind"), f"no kind is named {kind}", near, "config.unknown_kind")


def _needs(name: StackName, entries: Entries) -> frozenset[StackName]:
    entry = entries[name]
    named = {ref.stack for _, ref in references(entry)} | {StackName(other) for other in entry.depends_on}
    return frozenset(named & set(entries)) - {name}


def _cycle_flaws(needs: Mapping[StackName, frozenset[StackName]], entries: Entries) -> Iterator[Flaw]:
    steady = {name: sorted(needed) for name, needed in needs.items()}
    for cycle in cycles(steady):
        walk = " → ".join([*cycle, cycle[0]])
        first, second = cycle[0], cycle[1]
        at = next((at for at, ref in references(entries[first]) if ref.stack == second), ("depends_on",))
        yield Flaw(
            ("stacks", first, *at),
            f"the stacks need each other in a circle: {walk}",
            "take one of these references out",
            "config.cycle",
        )


def _rule_flaws(
    entries: Entries, inputs: Mapping[StackName, Inputs], around: Surroundings, kinds: Kinds
) -> Iterator[Flaw]:
    """Yield what the rules of the kinds find; rules about the surroundings run once every stack is well formed."""
    for name, made in inputs.items():
        checks = kinds[entries[name].kind].checks
        if isinstance(checks, Rules):
            yield from (_flaw(name, broken) for broken in checks.rules(made))
        if isinstance(checks, RulesAround) and len(inputs) == len(entries):
            yield from (_flaw(name, broken) for broken in checks.rules_around(name, made, around))


def _flaw(name: StackName, broken: Violation) -> Flaw:
    return Flaw(("stacks", name, *broken.at), broken.message, broken.hint, "config.rule")
