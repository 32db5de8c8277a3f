"""The labs' halves of the domains that are installed. Imports the light half alone: what commands need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aiinfra.catalog import domains, domains_of
from aiinfra.domain import Domain, load
from aiinfra.domain_lab import FaultType, LabDomain
from aiinfra.stack import LabNeeds, Surroundings

if TYPE_CHECKING:
    from aiinfra.plan.planner import Plan


def lab_domains() -> Mapping[str, LabDomain]:
    """Return the labs' halves of all installed domains that can be simulated, by the domain's name."""
    return _simulated(domains().values())


def lab_domains_of(plan: Plan) -> Mapping[str, LabDomain]:
    """Return the labs' halves of the domains that the plan's stacks work in."""
    return _simulated(domains_of([step.kind for step in plan.steps.values()]).values())


def fault_types() -> Mapping[str, FaultType]:
    """Return every fault that can be set in a lab, by name, in the order of the alphabet."""
    faults = {fault.name: fault for domain in lab_domains().values() for fault in domain.faults}
    return dict(sorted(faults.items()))


def domain_of_fault(name: str) -> tuple[str, LabDomain]:
    """Return the domain that a fault belongs to, with its name. Raises `KeyError` for an unknown fault."""
    for domain_name, domain in lab_domains().items():
        if any(fault.name == name for fault in domain.faults):
            return domain_name, domain
    raise KeyError(name)


def hardware_needs(plan: Plan) -> Iterator[Any]:
    """Yield what the kinds of the plan need of simulated worlds, as records that their domains know."""
    stacks = {name: (step.kind.kind, step.inputs) for name, step in plan.steps.items()}
    around = Surroundings(plan.environment.name, "lab", stacks)
    for step in plan.steps.values():
        if isinstance(step.kind.checks, LabNeeds):
            yield from step.kind.checks.lab_needs(step.inputs, around)


def _simulated(found: Iterable[Domain]) -> dict[str, LabDomain]:
    return {domain.name: load(domain.lab) for domain in found if domain.lab}
