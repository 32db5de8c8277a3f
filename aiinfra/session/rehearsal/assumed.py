"""The simulated world of a rehearsal: what the file leaves out is assumed by the domains, and listed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from aiinfra.domain_lab import LabDomain, VariesByPlan
from aiinfra.engine.wire import Tree
from aiinfra.errors import ConfigError
from aiinfra.lab.domains import lab_domains_of
from aiinfra.plan.planner import Plan


def assumed_lab(plan: Plan, *, real_operators: bool = False) -> tuple[Mapping[str, Tree], list[str]]:
    """Return the value of `lab:` with what the file leaves out, and a sentence for each assumption.

    `real_operators` asks for them in the place of their stand-ins, whatever the file says.
    Raises `ConfigError` when a lab cannot have what the stacks ask for.
    """
    lab: dict[str, Tree] = dict(plan.environment.lab)
    sentences: list[str] = []
    for domain in lab_domains_of(plan).values():
        described, assumed = _assumed(domain, plan, lab.get(domain.key))
        if described is not None and real_operators and isinstance(domain, VariesByPlan):
            described = domain.with_real_operators(described)
        if described is not None:
            lab[domain.key] = described
        sentences += assumed
    return lab, sentences


def _assumed(domain: LabDomain, plan: Plan, described: Tree) -> tuple[Tree, Sequence[str]]:
    """What a domain assumes is made of the user's values, so its models may refuse them."""
    try:
        return domain.assumed(plan, described)
    except ValidationError as error:
        first = error.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        message = f"a lab cannot have what the stacks ask for: {first['input']!r}: {why}"
        hint = f"describe lab.{domain.key} in the file, or rehearse with another value"
        raise ConfigError(message, code="lab.not_simulated", where=f"lab.{domain.key}", hint=hint) from error
