"""The official plugins of an environment's kinds: asked for before the first step, never fetched inside a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from aiinfra.catalog import Catalog, Kind
from aiinfra.plan.planner import Plan
from aiinfra.session.place.choice import Places
from aiinfra.session.run import Run
from aiinfra.stack import StackName

if TYPE_CHECKING:
    from aiinfra.toolchain.plugins import Plugin


def plugins_of(plan: Plan) -> Sequence[Plugin]:
    """Return the plugins that the stacks of a plan need; none in a lab, which has stand-ins."""
    return _plugins(step.kind for step in plan.steps.values()) if plan.environment.target == "real" else ()


def require_for(places: Places, stacks: Collection[str]) -> None:
    """Raise `OutsideError` `toolchain.plugin` before the first step when a plugin of these stacks is missing."""
    _require(places, (step.kind for step in places.plan.steps.values() if step.name in stacks))


def require_for_destroy(places: Places, run: Run) -> None:
    """As `require_for`, for the stacks that a destroy would delete; those that left the file count too."""
    only, catalog, kinds = run.options.selection.only, Catalog.installed(), list[Kind]()
    for stack in run.existing_stacks():
        step, known = run.plan.steps.get(StackName(stack)), run.journal.success(stack)
        if only and stack not in only:
            continue
        if step is not None:
            kinds.append(step.kind)
        elif known is not None and known.kind in catalog:
            kinds.append(catalog[known.kind])
    _require(places, kinds)


def _require(places: Places, kinds: Iterable[Kind]) -> None:
    wanted = () if places.in_lab else _plugins(kinds)
    if wanted:
        places.plugins.require(wanted, places.plan.environment.name, places.say)


def _plugins(kinds: Iterable[Kind]) -> Sequence[Plugin]:
    names = sorted({name for kind in kinds for name in kind.plugins})
    if not names:
        return ()
    from aiinfra.toolchain.plugins import Plugin

    return [Plugin.of_sdk(name) for name in names]
