"""Access to the state of one environment: its engine and its journal, to read, or under the lock to change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.engine.events import OnEvent
from aiinfra.engine.journal import Journal
from aiinfra.engine.lock import EnvironmentLock
from aiinfra.errors import AiinfraError
from aiinfra.plan.planner import Plan
from aiinfra.report.run import Verb
from aiinfra.session.awaited import FAR, NEAR, AwaitedNotes
from aiinfra.session.engine import Engine
from aiinfra.session.interrupt import Interrupts
from aiinfra.session.options import Options
from aiinfra.session.place.choice import Places
from aiinfra.session.place.host_notes import HostNotes
from aiinfra.session.place.place import Place
from aiinfra.stack import StackName
from aiinfra.world import World

PLUGIN_LIMIT: Final = 3600.0
"""Seconds that a plugin may take for one resource of a stack that has no limit or is no longer in the file."""


@dataclass(frozen=True, slots=True)
class StateAccess:
    """Opens the state of an environment for one command."""

    world: World
    plan: Plan
    places: Places
    on_event: OnEvent
    interrupts: Interrupts

    def journal(self, place: Place, engine: Engine) -> Journal:
        """Return the journal, whose notes are beside the state."""
        return Journal(place.notes or HostNotes(engine.host, self.plan.environment.name))

    @contextmanager
    def engine(self, place: Place, options: Options) -> Iterator[Engine]:
        """Provide an engine that starts on first use; no lock is taken."""
        engine = Engine(
            world=self.world,
            place=place,
            project=self.plan.environment.name,
            binary=self.places.engine_binary,
            on_event=self.on_event,
            parallel=options.parallel,
            limit=lambda stack: _limit(self.plan, stack),
        )
        try:
            yield engine
        finally:
            engine.close()

    @contextmanager
    def locked(self, verb: Verb, place: Place, options: Options) -> Iterator[tuple[Engine, Journal]]:
        """Provide the engine and the journal under the lock; an error becomes that of the place when that ended."""
        with place.reporting_end(), self.engine(place, options) as engine:
            journal = self.journal(place, engine)
            command = f"aiinfra {verb.value} {self.plan.environment.name}"
            lock = EnvironmentLock.take(journal.notes, command, self.world.now(), self.places.say, self.interrupts.stop)
            try:
                engine.announce(lock.note_engine)
                every = NEAR if place.notes else FAR
                engine.on_event = AwaitedNotes(journal, self.on_event, lambda: engine.hidden, every)
                engine.usual = partial(journal.usual, verb.value)
                self._repair(engine, journal, recovered=lock.recovered)
                yield engine, journal
            finally:
                engine.settle()
                self._release(lock)
                engine.close()

    def _release(self, lock: EnvironmentLock) -> None:
        """Release the lock; when that fails, the run still counts, as the next one on this machine clears the lock."""
        try:
            lock.release()
        except AiinfraError as error:
            self.places.say(f"the environment's lock stays where it is: {error}")

    def _repair(self, engine: Engine, journal: Journal, *, recovered: bool) -> None:
        """Repair what an interrupted run left: stack locks of dead processes and pending operations."""
        left = journal.left_running()
        if not left and not recovered:
            return
        host = engine.host()
        for stack in left:
            host.clear_locks(stack)
            if dropped := host.repair(stack):
                self.places.say(f"{stack}: {dropped} operations of an interrupted run are refreshed")
            journal.end(stack)


def _limit(plan: Plan, stack: str) -> float:
    """Return the seconds that a plugin may take for one resource: the stack's own limit, when its kind has one."""
    step = plan.steps.get(StackName(stack))
    given = getattr(step.inputs, "limit", None) if step else None
    return float(given) if isinstance(given, int | float) else PLUGIN_LIMIT
