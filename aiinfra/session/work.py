"""What one stack's turn is: up, preview, refresh, destroy. A failed step is a result, not an exception."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.domains.kubernetes.settling import settle
from aiinfra.engine.digest import inputs_text, keyed, outputs_text, sources_digest
from aiinfra.engine.events import Outcome, StackResult, Verb
from aiinfra.engine.journal import Failure, Journal, Success
from aiinfra.engine.values import resolver
from aiinfra.engine.wire import UNKNOWN, Tree, Unknown, reveal
from aiinfra.errors import AiinfraError, OutsideError
from aiinfra.plan.planner import Plan, Step
from aiinfra.session.drifted import drifted, way_out
from aiinfra.session.engine import Engine
from aiinfra.session.failing import failed_result, failure
from aiinfra.stack import Ref, SecretSource, StackContext
from aiinfra.ui.durations import age
from aiinfra.world import World

if TYPE_CHECKING:
    from aiinfra.engine.host_client import OperationResult

Act = Callable[["Turn", Step], StackResult]
BOOKKEEPING = frozenset({"same", "read", "refresh"})
"""Operations that change nothing in the world."""


@dataclass(slots=True)
class Turn:
    """What every stack's turn of one run shares."""

    world: World
    plan: Plan
    engine: Engine
    journal: Journal
    environment_id: str
    key: bytes
    """Of the digests."""
    secret: Callable[[SecretSource], Tree]
    sources: str
    """Digest of the code that every kind depends on."""
    skip: bool = True
    prove: str = ""
    """A fresh token when proofs are to run again; empty: they keep the one they ran with."""
    base: Path = Path()
    """Folder of the environment file."""
    stop: threading.Event = field(default_factory=threading.Event)
    outputs: dict[str, Mapping[str, Tree]] = field(default_factory=dict)
    _stood: frozenset[str] | None = None
    _sources: dict[str, str] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    """What stands for a finished stack in the digests of those that refer to it."""

    def context(self, step: Step) -> StackContext:
        return StackContext(self.plan.environment.name, self.environment_id, step.name, self._proof(step), self.base)

    def _proof(self, step: Step) -> str:
        if not step.kind.proves:
            return ""
        if self.prove:
            self.journal.notes.put(f"proof/{step.name}", self.prove.encode())
        return (self.journal.notes.get(f"proof/{step.name}") or b"").decode()

    def outputs_of(self, stack: str) -> Mapping[str, Tree]:
        """Outputs of a stack that this run finished, or an earlier one. Raises `OutsideError` when there are none."""
        if stack not in self.outputs:
            self.outputs[stack] = self.engine.outputs(stack)
        if not self.outputs[stack]:
            raise OutsideError(
                f"{stack} is not up, so its outputs are not known",
                code="run.upstream_missing",
                where=stack,
                hint=f"bring it up first: leave out --only, or add --from {stack}",
            )
        return self.outputs[stack]

    def standing(self) -> frozenset[str]:
        """The stacks that the state knew when it was first asked in this run."""
        if self._stood is None:
            self._stood = frozenset(self.engine.host().stacks())
        return self._stood

    def stood(self, stack: str) -> bool:
        return stack in self.standing()

    def resolve(self, late: Ref | SecretSource) -> Tree:
        return resolver(self.outputs_of, self.secret)(late)

    def digest(self, step: Step) -> str:
        parts = (
            step.kind.kind,
            self.sources,
            self._own_sources(step),
            self.environment_id,
            self._proof(step),
        )
        return keyed(self.key, *parts, inputs_text(step.inputs, self._late_digest))

    def _own_sources(self, step: Step) -> str:
        """Read once in a run, however many stacks are of the kind."""
        kind = step.kind.kind
        if kind not in self._sources:
            self._sources[kind] = sources_digest(step.kind.watched())
        return self._sources[kind]

    def _late_digest(self, late: Ref | SecretSource) -> str:
        if isinstance(late, SecretSource):
            return keyed(self.key, "secret", str(reveal(self.secret(late))))
        return keyed(self.key, self._result_of(late.stack), *late.output)

    def _result_of(self, stack: str) -> str:
        if stack not in self.results:
            known = self.journal.success(stack)
            self.results[stack] = known.result if known else ""
        return self.results[stack]

    def program(self, step: Step, resolve: Callable[[Ref | SecretSource], Tree]) -> Callable[[], None]:
        from aiinfra.engine.programs import bind

        return bind(step.kind, self.context(step), step.inputs, resolve)


@contextmanager
def _mending(turn: Turn, step_name: str, verb: Verb) -> Iterator[None]:
    """The journal around an operation: the success is forgotten before, `running` stands while it runs."""
    turn.journal.begin(step_name, verb.value)
    started = time.monotonic()
    yield
    turn.journal.took(verb.value, step_name, time.monotonic() - started)
    turn.journal.end(step_name)


def _timed(turn: Turn, kind: str, stack: str, act: Callable[[], StackResult]) -> StackResult:
    """Run `act`; a failure becomes a failed result, but for one that keeps every step of the run from its start."""
    started = time.monotonic()
    try:
        result = act()
    except AiinfraError as error:
        if turn.engine.absent:
            raise
        result = failure(turn, kind, stack, error)
    return replace(result, seconds=time.monotonic() - started)


def _noted(turn: Turn, verb: Verb, result: StackResult) -> StackResult:
    """The result; a failure is kept for `aiinfra why`, if there is still a place to keep it in."""
    if result.error is not None and turn.engine.place.gone() is None:
        told = Failure(verb.value, turn.world.now(), result.seconds, result.error, tuple(result.causes))
        with suppress(AiinfraError):  # the run tells its failure itself, whether or not it can be kept
            turn.journal.failed(result.stack, told)
    return result


def up(turn: Turn, step: Step) -> StackResult:
    return _noted(turn, Verb.UP, _timed(turn, step.kind.kind, step.name, lambda: _up(turn, step)))


def _up(turn: Turn, step: Step) -> StackResult:
    digest = turn.digest(step)
    known = turn.journal.success(step.name)
    if turn.skip and known and known.digest == digest:
        turn.results[step.name] = known.result
        seen = f"last seen {_age(turn, known)}"
        return StackResult(
            step.name, step.kind.kind, Outcome.UNCHANGED, 0.0, seen, notes=proof_notes(known, turn.world.now())
        )
    started = time.monotonic()
    turn.engine.prepared()
    program = turn.program(step, turn.resolve)
    refresh = known is None and settle(turn, step)
    with _mending(turn, step.name, Verb.UP):
        done = turn.engine.operate(Verb.UP, step.name, program, refresh=refresh)
    if failed := failed_result(turn, step.kind.kind, step.name, done):
        return failed
    return _remember(turn, step, digest, done, time.monotonic() - started)


def _remember(turn: Turn, step: Step, digest: str, done: OperationResult, seconds: float) -> StackResult:
    turn.outputs[step.name] = done.outputs
    result = keyed(turn.key, digest, outputs_text(done.outputs))
    turn.results[step.name] = result
    uid = done.outputs.get("uid")
    proved_at = done.outputs.get("proved_at")
    success = Success(
        digest=digest,
        result=result,
        at=turn.world.now(),
        seconds=seconds,
        kind=step.kind.kind,
        uid=uid if isinstance(uid, str) else "",
        proved_at=proved_at if isinstance(proved_at, str) else "",
        simulated=done.outputs.get("simulated") is True,
        needs=tuple(step.needs),
    )
    turn.journal.succeed(step.name, success)
    changes = {op: n for op, n in done.changes.items() if op not in BOOKKEEPING}
    outcome = Outcome.CHANGED if changes else Outcome.UNCHANGED
    because = "" if changes else "ran, nothing differed"
    notes = proof_notes(success, turn.world.now())
    return StackResult(step.name, step.kind.kind, outcome, seconds, because, changes, notes=notes)


def proof_notes(success: Success, now: datetime) -> tuple[str, ...]:
    """What a reader must know of a proof: how old it is, and whether its run was simulated."""
    if not success.proved_at:
        return ()
    old = age((now - datetime.fromisoformat(success.proved_at)).total_seconds())
    return (f"proved {old}{' (the CUDA run was simulated)' if success.simulated else ''}",)


def preview(turn: Turn, step: Step) -> StackResult:
    return _timed(turn, step.kind.kind, step.name, lambda: _preview(turn, step))


def _preview(turn: Turn, step: Step) -> StackResult:
    from aiinfra.session.foresight import certainty, refs_of

    known = turn.journal.success(step.name)
    fresh = {late.stack for late in refs_of(step) if late.stack in turn.outputs}
    if turn.skip and not fresh and known and known.digest == turn.digest(step):
        seen = f"last seen {_age(turn, known)}"
        return StackResult(
            step.name, step.kind.kind, Outcome.UNCHANGED, 0.0, seen, notes=proof_notes(known, turn.world.now())
        )
    turn.engine.prepared()
    done = turn.engine.operate(Verb.PREVIEW, step.name, turn.program(step, turn.resolve))
    if failed := failed_result(turn, step.kind.kind, step.name, done):
        return failed
    turn.outputs[step.name] = {name: done.outputs.get(name, UNKNOWN) for name in step.kind.outputs.model_fields}
    changes = {op: n for op, n in done.changes.items() if op not in BOOKKEEPING}
    unknown = sorted(name for name, value in turn.outputs[step.name].items() if isinstance(value, Unknown))
    later = (f"known after {step.name}: {', '.join(unknown)}",) if unknown else ()
    outcome = Outcome.CHANGED if changes else Outcome.UNCHANGED
    notes = (str(certainty(turn, step)), *later) if changes else later
    return StackResult(step.name, step.kind.kind, outcome, 0.0, "", changes, notes=notes)


def _age(turn: Turn, known: Success) -> str:
    return age((turn.world.now() - known.at).total_seconds())


def refresh(turn: Turn, step: Step) -> StackResult:
    return _noted(turn, Verb.REFRESH, _timed(turn, step.kind.kind, step.name, lambda: _refresh(turn, step)))


def _refresh(turn: Turn, step: Step) -> StackResult:
    known = turn.journal.success(step.name)
    if not turn.stood(step.name):
        return StackResult(step.name, step.kind.kind, Outcome.SKIPPED, 0.0, "is not up")
    with _mending(turn, step.name, Verb.REFRESH):
        done = turn.engine.operate(Verb.REFRESH, step.name)
    if failed := failed_result(turn, step.kind.kind, step.name, done):
        return failed
    drift = {op: n for op, n in done.changes.items() if op not in BOOKKEEPING}
    told = () if known and not drift else drifted(turn.engine.host().export(step.name)["deployment"])
    if drift or told:
        because = way_out(told, turn.plan.environment.name)
        return StackResult(step.name, step.kind.kind, Outcome.CHANGED, 0.0, because, drift, notes=told)
    if known:
        turn.journal.succeed(step.name, replace(known, at=turn.world.now()))
    return StackResult(step.name, step.kind.kind, Outcome.UNCHANGED, 0.0, "as in the state")


def destroy(turn: Turn, stack: str, kind: str) -> StackResult:
    return _noted(turn, Verb.DESTROY, _timed(turn, kind, stack, lambda: _destroy(turn, stack, kind)))


def _destroy(turn: Turn, stack: str, kind: str) -> StackResult:
    if not turn.stood(stack):
        turn.journal.destroyed(stack)
        return StackResult(stack, kind, Outcome.DESTROYED, 0.0, "was not there")
    with _mending(turn, stack, Verb.DESTROY):
        done = turn.engine.operate(Verb.DESTROY, stack)
    if failed := failed_result(turn, kind, stack, done):
        return failed
    turn.engine.host().remove_stack(stack)
    turn.journal.destroyed(stack)
    changes = {op: n for op, n in done.changes.items() if op not in BOOKKEEPING}
    return StackResult(stack, kind, Outcome.DESTROYED, 0.0, "", changes)
