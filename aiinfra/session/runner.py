"""What a run asks of the engine, as a protocol: outcome logic is written, and tested, against this.

`aiinfra.session.engine.Engine` is the real one; `aiinfra.session.fake_runner.FakeRunner` holds stacks in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aiinfra.dataclass import dataclass
from aiinfra.engine.wire import Tree
from aiinfra.report.run import Verb
from aiinfra.stack import Inputs, Ref, SecretSource, StackContext, StackType

if TYPE_CHECKING:
    from aiinfra.engine.host_records import OperationResult

Resolve = Callable[[Ref | SecretSource], Tree]


@dataclass(frozen=True, slots=True)
class StackProgram:
    """The program of one stack with all that it is given."""

    kind: StackType[Any, Any]
    context: StackContext
    inputs: Inputs
    resolve: Resolve
    """Returns the value of each unresolved leaf of the inputs."""


class StackRunner(Protocol):
    """Runs operations on single stacks and reads their state. Thread-safe."""

    @property
    def absent(self) -> bool:
        """True when no engine could be had and none ever ran: nothing was begun."""
        ...

    def prepare(self) -> None:
        """Start what operations need. Raises `OutsideError`."""
        ...

    def operate(
        self, verb: Verb, stack: str, program: StackProgram | None = None, *, refresh: bool = False
    ) -> OperationResult:
        """Run one operation; a failure is a result. `refresh` reads the world before an update."""
        ...

    def existing(self) -> Collection[str]:
        """Return the stacks that the state has."""
        ...

    def outputs(self, stack: str) -> Mapping[str, Tree]:
        """Return a stack's outputs; empty for a stack that the state does not have."""
        ...

    def deployment(self, stack: str) -> Mapping[str, Any]:
        """Return the stack's state in Pulumi's format."""
        ...

    def remove(self, stack: str, *, force: bool = False) -> None:
        """Drop the stack from the state; one with resources only by `force`."""
        ...

    def stop(self) -> None:
        """Finish and save running operations; on a second call stop them now."""
        ...

    def close(self) -> None:
        """End what was started; no operation runs any more."""
        ...
