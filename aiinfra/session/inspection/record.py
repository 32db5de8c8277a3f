"""What earlier runs recorded beside a state on this machine, read without engine, network or passphrase."""

from __future__ import annotations

from pathlib import Path

from aiinfra.engine.journal import Journal
from aiinfra.engine.notes import FileNotes
from aiinfra.errors import OutsideError
from aiinfra.model.state_url import folder_of
from aiinfra.plan.certainty import NOTHING, Recorded
from aiinfra.plan.planner import Plan
from aiinfra.world import World

ELSEWHERE = Recorded(asked=False)


def read_record(world: World, plan: Plan, path: Path) -> Recorded:
    """Return the record of the environment whose file is `path`; a state elsewhere, or unreadable, is not asked."""
    folder = _state_folder(world, plan, path)
    if folder is None:
        return NOTHING if plan.environment.target == "lab" else ELSEWHERE
    try:
        return _read(Journal(FileNotes(folder / ".aiinfra" / plan.environment.name)), plan)
    except OutsideError:
        return ELSEWHERE


def _state_folder(world: World, plan: Plan, path: Path) -> Path | None:
    """Return the folder of the state; None when it is elsewhere or of a lab that does not run."""
    if plan.environment.target != "lab":
        return folder_of(plan.environment.state.url, world.home(), path.parent.absolute())
    from aiinfra.lab.folders import lab_folder
    from aiinfra.lab.lab import Lab

    lab = Lab.find(lab_folder(world, plan.environment.name, path))
    return lab.folder / "state" if lab is not None and lab.alive else None


def _read(journal: Journal, plan: Plan) -> Recorded:
    known = {name: journal.success(name) for name in plan.steps}
    usual = {name: journal.usual("up", name) for name in plan.steps}
    seconds = {str(n): usual[n] or (s.seconds if s else 0.0) for n, s in known.items() if usual[n] or s}
    return Recorded(frozenset(str(name) for name, success in known.items() if success), seconds)
