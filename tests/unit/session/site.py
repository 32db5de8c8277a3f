"""An environment of steps in memory, and what its runs came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiinfra.catalog import Catalog
from aiinfra.engine.events import Event
from aiinfra.engine.journal import Journal
from aiinfra.engine.notes import FileNotes
from aiinfra.plan.planner import plan
from aiinfra.report.run import RunReport, Verb
from aiinfra.session.fake_runner import FakeRunner
from aiinfra.session.options import Options, Selection
from aiinfra.session.place.place import Place
from aiinfra.session.run import Run
from aiinfra.stack import StackName
from tests.unit.session.kinds import CATALOG, environment
from tests.unit.site import a_world

THREE = {"a": {}, "b": {"after": "${a.text}"}, "c": {"after": "${b.text}"}}


class Site:
    """An environment of steps that stand for stacks, its state and its notes."""

    def __init__(self, folder: Path, stacks: Mapping[str, Mapping[str, Any]], catalog: Catalog = CATALOG) -> None:
        self.folder = folder
        self.runner = FakeRunner()
        self.journal = Journal(FileNotes(folder / "notes"))
        self.events: list[Event] = []
        self.stacks = stacks
        self.catalog = catalog
        for name in stacks:
            self.runner.succeeds(Verb.UP, name, {"create": 1}, text=f"made {name}")

    def run(self, options: Options = Options(), only: tuple[str, ...] = ()) -> Run:  # noqa: B008  a value
        planned = plan(environment(self.stacks), self.catalog)
        place = Place("file:///nowhere", "passphrase", "a passphrase", {}, self.journal.notes, official_plugins=False)
        options = replace(options, selection=Selection(only)) if only else options
        return Run(
            world=a_world(self.folder),
            plan=planned,
            place=place,
            runner=self.runner,
            journal=self.journal,
            secret=lambda source: "",
            on_event=self.events.append,
            chosen=[name for name in planned.steps if not only or name in only],
            options=options,
            environment_id="0123456789ab",
        )

    def token(self, stack: str) -> str:
        """What the program of a proof is given: another one makes it run."""
        run = self.run()
        return run.context(run.plan.steps[StackName(stack)]).proof


def outcomes(report: RunReport) -> dict[str, tuple[str, str]]:
    return {one.stack: (one.outcome.value, one.reason.value if one.reason else "") for one in report.results}
