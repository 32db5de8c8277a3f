"""The official plugins of an environment's kinds, for a rehearsal that lets them run against the lab's servers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from aiinfra.domain_lab import StandsInForPlugins
from aiinfra.errors import OutsideError
from aiinfra.lab.domains import lab_domains_of
from aiinfra.plan.planner import Plan
from aiinfra.world import World


def official_plugins(plan: Plan, world: World) -> Mapping[str, str]:
    """Return the plugins that the kinds of a plan use and its lab has servers for, with their versions.

    Raises `OutsideError` `rehearsal.plugin` when there is none, or one is not installed.
    """
    served = {
        name
        for domain in lab_domains_of(plan).values()
        if isinstance(domain, StandsInForPlugins)
        for name in domain.of_plugin
    }
    used = {name for step in plan.steps.values() for name in step.kind.plugins}
    if not used & served:
        message = f"{plan.environment.name} uses no official plugin that a lab has servers for"
        raise OutsideError(message, code="rehearsal.plugin", where="--official-plugins", hint="rehearse it without")
    found = {name: version(f"pulumi-{name}") for name in sorted(used & served)}
    folder = world.cache() / "pulumi" / "plugins"
    for name, number in found.items():
        program = folder / f"resource-{name}-v{number}" / f"pulumi-resource-{name}"
        if not program.exists():
            raise OutsideError(
                f"the official Pulumi plugin {name} {number} is not installed: {program} does not exist",
                code="rehearsal.plugin",
                where="--official-plugins",
                hint="put it there, or rehearse without: a stand-in then takes its place",
            )
    return found
