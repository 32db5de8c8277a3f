"""One run of a verb on one environment: everything that its steps share.

It is what the worlds of domains see of a run (`aiinfra.domain_run.RunContext`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.disk import content_digest
from aiinfra.engine.code_digest import code_digest
from aiinfra.engine.digest import inputs_text, keyed
from aiinfra.engine.events import Event, Message, OnEvent
from aiinfra.engine.journal import Journal
from aiinfra.engine.values import resolver
from aiinfra.engine.wire import Tree, reveal
from aiinfra.errors import OutsideError
from aiinfra.plan.graph import upstream
from aiinfra.plan.planner import Plan, Step
from aiinfra.session.interrupt import Interrupts
from aiinfra.session.keys import digest_key
from aiinfra.session.options import DEFAULTS, Options
from aiinfra.session.place.place import Place
from aiinfra.session.runner import StackProgram, StackRunner
from aiinfra.stack import Ref, SecretSource, StackContext, StackName, UsesFiles
from aiinfra.world import World


@dataclass(slots=True)
class Run:
    """A run whose place, engine and journal are open."""

    world: World
    plan: Plan
    """The plan with the connections of the place instead of the file's."""
    place: Place
    runner: StackRunner
    journal: Journal
    secret: Callable[[SecretSource], Tree]
    on_event: OnEvent
    chosen: Sequence[StackName] = ()
    """The requested stacks, in order."""
    options: Options = DEFAULTS
    environment_id: str = ""
    base: Path = Path()
    """Folder of the environment file."""
    interrupts: Interrupts = field(default_factory=Interrupts)
    prove: str = ""
    """A fresh token when proofs are to run again; empty: they keep the one they ran with."""
    outputs: dict[str, Mapping[str, Tree]] = field(default_factory=dict)
    """Outputs of stacks that this run finished or previewed."""
    revisions: dict[str, str] = field(default_factory=dict)
    """The digest that represents a finished stack in the digests of those that refer to it."""
    changed: dict[str, Sequence[str]] = field(default_factory=dict)
    """By stack, what is no longer as its last success left it: it is not skipped, and its world is read first."""
    changing: set[str] = field(default_factory=set)
    """Stacks that a preview found to change: proofs of them would run again."""
    _existed: frozenset[str] | None = None
    _code: dict[str, str] = field(default_factory=dict)
    _key: tuple[str, bytes] | None = field(default=None, repr=False)

    # -- what domains see

    @property
    def environ(self) -> Mapping[str, str]:
        return self.world.environ

    @property
    def simulated(self) -> bool:
        return self.place.is_simulated

    @property
    def stop(self) -> Flag:
        return self.interrupts.stop

    @property
    def sweep_seconds(self) -> float:
        return self.place.sweeping

    def now(self) -> datetime:
        return self.world.now()

    def say(self, text: str) -> None:
        self.on_event(Message(text, self.world.now()))

    def emit(self, event: Event) -> None:
        self.on_event(event)

    def open_secret(self, source: SecretSource) -> Tree:
        return self.secret(source)

    def existing_stacks(self) -> Collection[str]:
        """Return the stacks that the state had when it was first asked in this run."""
        if self._existed is None:
            self._existed = frozenset(self.runner.existing())
        return self._existed

    def existed(self, stack: str) -> bool:
        return stack in self.existing_stacks()

    def recorded_outputs(self, stack: str) -> Mapping[str, Tree]:
        if stack in self.outputs:
            return self.outputs[stack]
        return self.runner.outputs(stack) if self.existed(stack) else {}

    def deployment(self, stack: str) -> Mapping[str, Any]:
        return self.runner.deployment(stack)

    def is_current(self, stack: str) -> bool:
        step, known = self.plan.steps.get(StackName(stack)), self.journal.success(stack)
        return step is not None and known is not None and known.digest == self.digest(step)

    # -- values of stacks

    def outputs_of(self, stack: str) -> Mapping[str, Tree]:
        """Return the outputs of a stack from this or an earlier run. Raises `OutsideError` when it has none."""
        if stack not in self.outputs:
            self.outputs[stack] = self.runner.outputs(stack)
        if not self.outputs[stack]:
            raise OutsideError(
                f"{stack} is not up, so its outputs are not known",
                code="run.upstream_missing",
                where=stack,
                hint=f"bring it up first: aiinfra up {self.plan.environment.name} --until {stack}",
            )
        return self.outputs[stack]

    def resolve(self, unresolved: Ref | SecretSource) -> Tree:
        return resolver(self.outputs_of, self.secret)(unresolved)

    def program(self, step: Step) -> StackProgram:
        return StackProgram(step.kind, self.context(step), step.inputs, self.resolve)

    def context(self, step: Step) -> StackContext:
        return StackContext(
            self.plan.environment.name, self.environment_id, step.name, self._proof_token(step), self.base
        )

    def _proof_token(self, step: Step) -> str:
        """Return a token of all that makes a proof run again: a request, and the last change of every stack under it.

        A change that leaves a stack's outputs as they were, such as another driver, is no difference to Pulumi.
        """
        if not step.kind.proves:
            return ""
        if self.prove:
            self.journal.notes.put(f"proof/{step.name}", self.prove.encode())
        asked = (self.journal.notes.get(f"proof/{step.name}") or b"").decode()
        under = map(self._last_change, self.stacks_under(step))
        return hashlib.sha256("\n".join((asked, *under)).encode()).hexdigest()[:16]

    def stacks_under(self, step: Step) -> list[StackName]:
        """Return all that a stack needs, directly or not."""
        return sorted(upstream(self.plan.needs, [step.name]) - {step.name})

    def _last_change(self, stack: StackName) -> str:
        if stack in self.changing:
            return f"{stack} changes"
        known = self.journal.success(stack)
        return f"{stack} {known.result} {known.change}" if known else stack

    # -- digests

    @property
    def key(self) -> bytes:
        """The key of the digests, which depends on the environment's id."""
        if self._key is None or self._key[0] != self.environment_id:
            self._key = self.environment_id, digest_key(self.world, self.place, self.environment_id)
        return self._key[1]

    def digest(self, step: Step) -> str:
        """Return the digest of everything that the stack's result depends on."""
        parts = (step.kind.kind, self._code_digest(step), self.environment_id, self._proof_token(step))
        return keyed(self.key, *parts, inputs_text(step.inputs, self._unresolved_digest), *self._file_digests(step))

    def _file_digests(self, step: Step) -> Sequence[str]:
        checks = step.kind.checks
        used = checks.files(step.inputs, self.base) if isinstance(checks, UsesFiles) else ()
        return [_file_digest(file.path) for file in used]

    def _code_digest(self, step: Step) -> str:
        """Return the digest of the kind's code, computed once in a run."""
        kind = step.kind.kind
        if kind not in self._code:
            self._code[kind] = code_digest(step.kind, simulated=self.simulated)
        return self._code[kind]

    def _unresolved_digest(self, unresolved: Ref | SecretSource) -> str:
        if isinstance(unresolved, SecretSource):
            return keyed(self.key, "secret", str(reveal(self.secret(unresolved))))
        return keyed(self.key, self._revision_of(unresolved.stack), *unresolved.output)

    def _revision_of(self, stack: str) -> str:
        if stack not in self.revisions:
            known = self.journal.success(stack)
            self.revisions[stack] = known.result if known else ""
        return self.revisions[stack]


def _file_digest(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError:
        return "unreadable"  # `check_files` refuses it before anything is run
