"""The official plugins of an environment's kinds, for a rehearsal that lets them run against the lab's servers."""

from __future__ import annotations

from collections.abc import Mapping

from aiinfra.domain_lab import StandsInForPlugins
from aiinfra.errors import OutsideError
from aiinfra.lab.domains import lab_domains_of
from aiinfra.session.place.choice import Places


def official_plugins(places: Places) -> Mapping[str, str]:
    """Return the plugins that the kinds of a plan use and its lab has servers for, with their versions.

    Those that lack are installed from the toolchain folder. Raises `OutsideError` `rehearsal.plugin` when there is
    none, or one is not on this machine.
    """
    from aiinfra.toolchain.plugins import Plugin

    plan = places.plan
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
    wanted = [Plugin.of_sdk(name) for name in sorted(used & served)]
    if lacking := places.plugins.lacking(wanted):
        path, env = places.plugins.path(lacking[0]), plan.environment.name
        raise OutsideError(
            f"the official Pulumi plugin {lacking[0]} is not installed: {path} does not exist",
            code="rehearsal.plugin",
            where="--official-plugins",
            hint=f"aiinfra toolchain install {env} brings it where the target is real; else rehearse without it",
        )
    places.plugins.require(wanted, plan.environment.name, places.say)
    return {plugin.name: plugin.version for plugin in wanted}
