"""The official plugins of an environment's kinds: asked for before the first step, never fetched inside a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from aiinfra.plan.planner import Plan
from aiinfra.session.place.choice import Places
from aiinfra.session.place.place import Place

if TYPE_CHECKING:
    from aiinfra.toolchain.plugins import Plugin


def plugins_of(plan: Plan, stacks: Collection[str] | None = None) -> Sequence[Plugin]:
    """Return the plugins that stacks of a plan need, all of them by default; none in a lab, which has stand-ins."""
    steps = plan.steps.values() if plan.environment.target == "real" else ()
    chosen = (step.kind for step in steps if stacks is None or step.name in stacks)
    names = sorted({name for kind in chosen for name in kind.plugins})
    if not names:
        return ()
    from aiinfra.toolchain.plugins import Plugin

    return [Plugin.of_sdk(name) for name in names]


def require_plugins(places: Places, place: Place, stacks: Collection[str]) -> None:
    """Raise `OutsideError` `toolchain.plugin` before the first step when a plugin of these stacks is missing."""
    wanted = plugins_of(places.plan, stacks) if place.official_plugins else ()
    if wanted:
        places.plugins.require(wanted, places.plan.environment.name, places.say)
