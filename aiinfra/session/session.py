"""The composition root: an environment, its place, the engine, and the verbs.

Every verb answers with a `RunReport`, or raises an `AiinfraError` when no step could start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from aiinfra.catalog import Catalog
from aiinfra.config import Loaded, load_environment
from aiinfra.engine.events import Message, OnEvent, RunReport, StackResult, Verb
from aiinfra.engine.journal import Journal
from aiinfra.engine.lock import EnvironmentLock
from aiinfra.engine.queue import Queue
from aiinfra.engine.run import Run
from aiinfra.engine.wire import Tree
from aiinfra.errors import AiinfraError
from aiinfra.model.state_url import shown
from aiinfra.plan.planner import Plan
from aiinfra.plan.secrets import read_secrets
from aiinfra.plan.selection import select
from aiinfra.session import work
from aiinfra.session.engine import Engine
from aiinfra.session.host_notes import HostNotes
from aiinfra.session.interrupt import Interrupts
from aiinfra.session.keys import NEVER_UP, digest_key, make_environment, open_secrets
from aiinfra.session.lab_access import opener, with_lab_access
from aiinfra.session.options import ANY_TOOLS, DEFAULTS, Options, Tools
from aiinfra.session.place import Place
from aiinfra.session.places import Places
from aiinfra.session.reporting import Reporting
from aiinfra.session.sources import shared_sources
from aiinfra.session.vcenters import meet_vcenters
from aiinfra.stack import SecretSource, StackName
from aiinfra.world import World

OnSecrets = Callable[[Iterable[str]], None]


@dataclass(slots=True)
class Session:
    """One command on one environment."""

    world: World
    loaded: Loaded
    plan: Plan
    places: Places
    on_event: OnEvent
    on_secrets: OnSecrets
    """Hears every secret value as soon as it is read, so that no sink shows it."""
    interrupts: Interrupts = field(default_factory=Interrupts)

    @classmethod
    def open(
        cls,
        world: World,
        env: str,
        *,
        sets: Sequence[str] = (),
        target: Literal["lab"] | None = None,
        tools: Tools = ANY_TOOLS,
        on_event: OnEvent = lambda event: None,
        on_secrets: OnSecrets = lambda secrets: None,
    ) -> Session:
        """Read, check and plan an environment. Raises `ConfigError` with every problem; touches nothing.

        `target` overrides the file's: for a rehearsal what names the real world is not read.
        """
        catalog = Catalog.installed()
        loaded = load_environment(env, sets=sets, world=world, catalog=catalog, target=target)

        def say(text: str) -> None:
            on_event(Message(text, world.now()))

        return cls(
            world, loaded, loaded.plan, Places(world, loaded.plan, loaded.path, tools, say), on_event, on_secrets
        )

    def up(self, options: Options = DEFAULTS) -> RunReport:
        """Bring the environment to the state that its file describes."""
        self._chosen(options)
        secrets = self.secrets()
        return self._acted(Verb.UP, options, self.places.started(), secrets, work.up)

    def refresh(self, options: Options = DEFAULTS) -> RunReport:
        """Ask the world again; a stack that differs is run by the next `up`."""
        self._chosen(options)
        place = self.places.found()
        if place is None:
            return self._report(Verb.REFRESH).nothing("the lab does not run")
        return self._acted(Verb.REFRESH, options, place, self.secrets(), work.refresh)

    def preview(self, options: Options = DEFAULTS) -> RunReport:
        """Say what `up` would change. Changes nothing, also on an environment that was never up."""
        self._chosen(options)
        secrets = self.secrets()
        with self.places.imagined() as place, self._engine(place, options) as engine:
            journal = self.journal(place, engine)
            open_secrets(engine, journal, place)
            self._meet_clusters(place, engine, journal, secrets, options)
            turn = self.turn(place, engine, journal, journal.environment_id() or NEVER_UP, secrets, options)
            return self._walk(Verb.PREVIEW, options, turn, place, work.preview)

    def destroy(self, options: Options = DEFAULTS) -> RunReport:
        """Take down what the environment made, and ask the world what is left."""
        from aiinfra.session import destroy

        place = self.places.found()
        if place is None:
            return self._report(Verb.DESTROY).nothing("no lab runs: 0 processes, 0 files, 0 stacks")
        with (
            place.standing(),
            self._engine(place, options) as engine,
            self._locked(Verb.DESTROY, place, engine) as journal,
        ):
            open_secrets(engine, journal, place)
            known = options.environment_id or journal.environment_id()
            turn = self.turn(place, engine, journal, known or "", self.secrets(), options)
            return destroy.run(self, turn, place, options, self._report(Verb.DESTROY, place, known or ""))

    @contextmanager
    def reading(self) -> Iterator[tuple[str, Place | None, Engine | None]]:
        """What stands, to be read only: a sentence for it, the place, and an engine that starts when it is asked."""
        place = self.places.seen()
        if place is None:
            yield "lab (does not run)", None, None
            return
        with self._engine(place, DEFAULTS) as engine:
            yield "lab (runs)" if place.is_simulated else f"state {shown(place.state_url)}", place, engine

    def journal(self, place: Place, engine: Engine) -> Journal:
        """The notes beside the state."""
        return Journal(place.notes or HostNotes(engine.host, self.plan.environment.name))

    def outputs(self, stack: str = "") -> Mapping[str, Mapping[str, Tree]]:
        """Outputs of one stack, or of all that stand; secrets are marked."""
        with self.reading() as (_, place, engine):
            if place is None or engine is None:
                return {}
            standing = engine.host().stacks()
            return {name: engine.outputs(name) for name in standing if stack in ("", name)}

    def _acted(
        self, verb: Verb, options: Options, place: Place, secrets: Mapping[SecretSource, str], act: work.Act
    ) -> RunReport:
        with place.standing(), self._engine(place, options) as engine, self._locked(verb, place, engine) as journal:
            self._meet_clusters(place, engine, journal, secrets, options)
            made = make_environment(engine, journal, place, self.plan.environment.name)
            turn = self.turn(place, engine, journal, made, secrets, options)
            if verb is Verb.UP:
                self._tell_dropped(journal)
                meet_vcenters(turn, self._chosen(options), self.places.say)
            return self._walk(verb, options, turn, place, act)

    def _tell_dropped(self, journal: Journal) -> None:
        """A stack that was taken out of the file is not taken down: that is said, and how to."""
        known = [name for name in journal.known_stacks() if name not in self.plan.steps]
        if known:
            one = len(known) == 1
            command = f"aiinfra destroy {self.plan.environment.name} {' '.join(f'--only {name}' for name in known)}"
            told = f"{' and '.join(known)} {'stands and is' if one else 'stand and are'} no longer in the file"
            self.places.say(f"{told}: {command} takes {'it' if one else 'them'} down")

    def _meet_clusters(
        self, place: Place, engine: Engine, journal: Journal, secrets: Mapping[SecretSource, str], options: Options
    ) -> None:
        """Raises `ClustersRefused`. A lab's clusters are its own."""
        if not place.is_simulated:
            from aiinfra.domains.kubernetes.identity import given_clusters, meet

            known = given_clusters(self.plan, self._chosen(options), journal, engine, opener(place, secrets))
            meet(list(known), self.world.environ)

    def _walk(self, verb: Verb, options: Options, turn: work.Turn, place: Place, act: work.Act) -> RunReport:
        chosen = self._chosen(options)
        needs = {str(name): [n for n in self.plan.steps[name].needs if n in chosen] for name in chosen}
        kinds = {str(name): self.plan.steps[name].kind.kind for name in chosen}
        report = self._report(verb, place, turn.environment_id)
        report.started(list(chosen))

        def one(name: str) -> StackResult:
            return act(turn, turn.plan.steps[StackName(name)])

        walk = Run(Queue(needs), kinds, one, options.parallel, self.on_event, self.world.now)
        with self.interrupts.heard(turn.engine.stop):
            results = walk.go(self.interrupts.stop)
        return report.ended(results, interrupted=self.interrupts.count > 0)

    def _chosen(self, options: Options) -> Sequence[StackName]:
        """The stacks that were asked for, in order. Raises `ConfigError` for a selection that chooses none."""
        wanted = options.selection
        return select(self.plan, only=wanted.only, from_=wanted.from_, until=wanted.until)

    def _report(self, verb: Verb, place: Place | None = None, environment_id: str = "") -> Reporting:
        simulated = place.simulated if place else ()
        return Reporting(verb, self.plan.environment.name, environment_id, simulated, self.on_event, self.world.now)

    @contextmanager
    def _engine(self, place: Place, options: Options) -> Iterator[Engine]:
        engine = Engine(
            world=self.world,
            place=place,
            project=self.plan.environment.name,
            binary=self.places.engine_binary,
            on_event=self.on_event,
            parallel=options.parallel,
            plugins=frozenset(name for step in self.plan.steps.values() for name in step.kind.plugins),
        )
        try:
            yield engine
        finally:
            engine.close()

    @contextmanager
    def _locked(self, verb: Verb, place: Place, engine: Engine) -> Iterator[Journal]:
        journal = self.journal(place, engine)
        command = f"aiinfra {verb.value} {self.plan.environment.name}"
        lock = EnvironmentLock.take(journal.notes, command, self.world.now(), self.places.say, self.interrupts.stop)
        try:
            engine.announce(lock.note_engine)
            engine.usual = partial(journal.usual, verb.value)
            self._repair(engine, journal, recovered=lock.recovered)
            yield journal
        finally:
            engine.settle()
            self._release(lock)
            engine.close()

    def _release(self, lock: EnvironmentLock) -> None:
        """A run that is done is not undone by a lock that stays: the next run on this machine clears it."""
        try:
            lock.release()
        except AiinfraError as error:
            self.places.say(f"the environment's lock stays where it is: {error}")

    def _repair(self, engine: Engine, journal: Journal, *, recovered: bool) -> None:
        """Mend what a run that died left: stack locks of dead processes, operations that never ended."""
        left = journal.left_running()
        if not left and not recovered:
            return
        host = engine.host()
        for stack in left:
            host.clear_locks(stack)
            if dropped := host.repair(stack):
                self.places.say(f"{stack}: {dropped} operations of a run that died are asked of the world again")
            journal.end(stack)

    def turn(  # noqa: PLR0917  each is a part of the run
        self,
        place: Place,
        engine: Engine,
        journal: Journal,
        environment_id: str,
        secrets: Mapping[SecretSource, str],
        options: Options = DEFAULTS,
    ) -> work.Turn:
        prepared = with_lab_access(self.plan, place)
        engine.hidden = tuple(secrets.values())
        return work.Turn(
            world=self.world,
            plan=prepared,
            engine=engine,
            journal=journal,
            environment_id=environment_id,
            key=digest_key(self.world, place, environment_id),
            secret=opener(place, secrets),
            sources=shared_sources(simulated=place.is_simulated),
            skip=options.skip,
            prove=self.world.now().isoformat() if options.prove else "",
            base=self.loaded.path.absolute().parent,
            stop=self.interrupts.stop,
        )

    def secrets(self) -> Mapping[SecretSource, str]:
        """Every secret source of the file, read. Raises `ConfigError` naming each one that is missing."""
        found = read_secrets(
            self.plan, self.world, self.loaded.path, opener=self.places.secret, where=self.loaded.where
        )
        self.on_secrets(found.values())
        return found
