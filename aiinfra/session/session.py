"""The composition root: an environment, its place, the engine, and the verbs.

Every verb returns a `RunReport`, or raises an `AiinfraError` when no step could start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from aiinfra.catalog import Catalog
from aiinfra.config import Loaded, load_environment
from aiinfra.dataclass import dataclass
from aiinfra.engine.events import Message, OnEvent
from aiinfra.engine.journal import Journal
from aiinfra.engine.wire import Tree
from aiinfra.model.state_url import redact_url
from aiinfra.plan.files import check_files
from aiinfra.plan.planner import Plan
from aiinfra.plan.secrets import read_secrets
from aiinfra.plan.selection import select
from aiinfra.report.run import RunReport, Verb
from aiinfra.session.engine import Engine
from aiinfra.session.interrupt import Interrupts
from aiinfra.session.keys import NEVER_UP, make_environment, open_secrets
from aiinfra.session.options import ANY_TOOLS, DEFAULTS, Options, Tools
from aiinfra.session.origin import check_origin, note_origin
from aiinfra.session.place.choice import Places
from aiinfra.session.place.connection import opener, with_lab_access
from aiinfra.session.place.place import Place
from aiinfra.session.plugins import require_for, require_for_destroy
from aiinfra.session.reporting import Reporting
from aiinfra.session.run import Run
from aiinfra.session.state_access import StateAccess
from aiinfra.session.worlds import verify
from aiinfra.stack import SecretSource, StackName
from aiinfra.world import World

if TYPE_CHECKING:
    from aiinfra.session.packages import PackageJudge

OnSecrets = Callable[[Iterable[str]], None]
Secrets = Mapping[SecretSource, str]


@dataclass(slots=True)
class Session:
    """One command on one environment."""

    world: World
    loaded: Loaded
    plan: Plan
    places: Places
    on_event: OnEvent
    on_secrets: OnSecrets
    """Called with every secret value as soon as it is read, so that no output shows it."""
    interrupts: Interrupts = field(default_factory=Interrupts)

    @classmethod
    def open(
        cls,
        world: World,
        env: str,
        *,
        sets: Sequence[str] = (),
        target: Literal["lab"] | None = None,
        real_operators: bool = False,
        tools: Tools = ANY_TOOLS,
        on_event: OnEvent = lambda event: None,
        on_secrets: OnSecrets = lambda secrets: None,
    ) -> Session:
        """Read, check and plan an environment. Raises `ConfigError` with every problem; touches nothing.

        `target` overrides the file's: for a rehearsal what names the real world is not read. `real_operators` run in a
        lab whatever the file says.
        """
        catalog = Catalog.installed()
        loaded = load_environment(
            env, sets=sets, world=world, catalog=catalog, target=target, real_operators=real_operators
        )

        def say(text: str) -> None:
            on_event(Message(text, world.now()))

        return cls(
            world, loaded, loaded.plan, Places(world, loaded.plan, loaded.path, tools, say), on_event, on_secrets
        )

    def up(self, options: Options = DEFAULTS) -> RunReport:
        """Bring the environment to the state that its file describes."""
        from aiinfra.session.verbs.up import up

        chosen = self._chosen(options)
        self.check_files(chosen)
        secrets = self.secrets()
        with self._acting(Verb.UP, self.places.start(), options, chosen, secrets) as run:
            return up(run, lambda: self.packages)

    def refresh(self, options: Options = DEFAULTS) -> RunReport:
        """Ask the world again; a stack that differs is run by the next `up`."""
        from aiinfra.session.steps.refresh import refresh
        from aiinfra.session.verbs.run_stacks import run_stacks

        chosen, place = self._chosen(options), self.places.find()
        if place is None:
            return self._nothing(Verb.REFRESH, "the lab does not run")
        with self._acting(Verb.REFRESH, place, options, chosen, self.secrets()) as run:
            return run_stacks(run, Verb.REFRESH, refresh)

    def preview(self, options: Options = DEFAULTS) -> RunReport:
        """Report what `up` would change. Changes nothing, also on an environment that was never up."""
        from aiinfra.session.steps.preview import preview
        from aiinfra.session.verbs.run_stacks import run_stacks
        from aiinfra.session.verbs.up import say_changes

        chosen = self._chosen(options)
        self.check_files(chosen)
        secrets = self.secrets()
        with self.places.preview_place() as place, self.state.engine(place, options) as engine:
            require_for(self.places, chosen)
            journal = self.state.journal(place, engine)
            open_secrets(engine, journal, place)
            run = self._run(place, engine, journal, secrets, options, chosen)
            run.environment_id = journal.environment_id() or NEVER_UP
            check_origin(run, self.loaded.path)
            verify(run)
            say_changes(run)
            return run_stacks(run, Verb.PREVIEW, preview)

    def destroy(self, options: Options = DEFAULTS) -> RunReport:
        """Destroy what the environment made, and ask the world what is left."""
        from aiinfra.session.verbs.destroy import destroy

        place = self.places.find()
        if place is None:
            return self._nothing(Verb.DESTROY, "no lab runs: 0 processes, 0 files, 0 stacks")
        with self.state.locked(Verb.DESTROY, place, options) as (engine, journal):
            open_secrets(engine, journal, place)
            run = self._run(place, engine, journal, self.secrets(), options)
            run.environment_id = options.environment_id or journal.environment_id() or ""
            check_origin(run, self.loaded.path, destroys=True)
            require_for_destroy(self.places, run)
            return destroy(run)

    @contextmanager
    def reading(self) -> Iterator[tuple[str, Place | None, Engine | None]]:
        """Provide what exists, to be read only: a phrase for it, the place, and an engine that starts on first use."""
        place = self.places.peek()
        if place is None:
            yield "lab (does not run)", None, None
            return
        with self.state.engine(place, DEFAULTS) as engine:
            yield "lab (runs)" if place.is_simulated else f"state {redact_url(place.state_url)}", place, engine

    def reading_run(self, place: Place, engine: Engine, secrets: Secrets) -> Run:
        """Return a run that only reads: no lock is taken, nothing is created."""
        journal = self.state.journal(place, engine)
        run = self._run(place, engine, journal, secrets, DEFAULTS, tuple(self.plan.steps))
        run.environment_id = journal.environment_id() or NEVER_UP
        return run

    @property
    def state(self) -> StateAccess:
        """Access to what is recorded of the environment."""
        return StateAccess(self.world, self.plan, self.places, self.on_event, self.interrupts)

    def outputs(self, stack: str = "") -> Mapping[str, Mapping[str, Tree]]:
        """Return the outputs of one stack, or of all that exist; secrets are marked."""
        with self.reading() as (_, place, engine):
            if place is None or engine is None:
                return {}
            return {name: engine.outputs(name) for name in engine.existing() if stack in ("", name)}

    def secrets(self) -> Secrets:
        """Return the value of every secret source of the file. Raises `ConfigError` naming each one that is missing."""
        found = read_secrets(
            self.plan, self.world, self.loaded.path, opener=self.places.secret, where=self.loaded.where
        )
        self.on_secrets(found.values())
        return found

    def check_files(self, chosen: Sequence[StackName] | None = None) -> None:
        """Raise `ConfigError` for each file that is a part of what a stack builds and is not there."""
        check_files(self.plan, self.loaded.path.absolute().parent, self.loaded.where, chosen)

    @property
    def packages(self) -> PackageJudge:
        """What judges the packages that the stacks install, such as a chart."""
        from aiinfra.session.packages import PackageJudge

        return PackageJudge(self.loaded, self.world, self.places.toolchain, self.on_secrets, self.places.say)

    def _chosen(self, options: Options) -> Sequence[StackName]:
        """Return the requested stacks, in order. Raises `ConfigError` for a selection that chooses none."""
        selection = options.selection
        return select(self.plan, only=selection.only, from_=selection.from_, until=selection.until)

    @contextmanager
    def _acting(
        self, verb: Verb, place: Place, options: Options, chosen: Sequence[StackName], secrets: Secrets
    ) -> Iterator[Run]:
        """Provide a run that may change the world: locked, access verified, with an environment id."""
        require_for(self.places, chosen)
        with self.state.locked(verb, place, options) as (engine, journal):
            run = self._run(place, engine, journal, secrets, options, chosen)
            run.environment_id = journal.environment_id() or ""
            check_origin(run, self.loaded.path)
            verify(run)
            run.environment_id = make_environment(engine, journal, place, self.plan.environment.name)
            note_origin(run, self.loaded.path)
            yield run

    def _run(  # noqa: PLR0917  each is a part of the run
        self,
        place: Place,
        engine: Engine,
        journal: Journal,
        secrets: Secrets,
        options: Options,
        chosen: Sequence[StackName] = (),
    ) -> Run:
        engine.hidden = tuple(secrets.values())
        return Run(
            world=self.world,
            plan=with_lab_access(self.plan, place),
            place=place,
            runner=engine,
            journal=journal,
            secret=opener(place, secrets),
            on_event=engine.on_event,
            chosen=chosen,
            options=options,
            base=self.loaded.path.absolute().parent,
            interrupts=self.interrupts,
            prove=self.world.now().isoformat() if options.prove else "",
        )

    def _nothing(self, verb: Verb, sentence: str) -> RunReport:
        """Return the report of a run that found nothing to do."""
        reporting = Reporting(verb, self.plan.environment.name, "", (), self.on_event, self.world.now)
        return reporting.nothing(sentence)
