"""The simulated world of a rehearsal: what the file leaves out is assumed by the domains, and listed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from aiinfra.engine.wire import Tree
from aiinfra.lab.domains import lab_domains_of
from aiinfra.plan.planner import Plan


def assumed_lab(plan: Plan) -> tuple[Mapping[str, Tree], list[str]]:
    """Return the value of `lab:` with what the file leaves out, and a sentence for each assumption."""
    lab: dict[str, Tree] = dict(plan.environment.lab)
    sentences: list[str] = []
    for domain in lab_domains_of(plan).values():
        described, assumed = domain.assumed(plan, lab.get(domain.key))
        if described is not None:
            lab[domain.key] = described
        sentences += assumed
    return lab, sentences
