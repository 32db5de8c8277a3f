"""A `StackRunner` in memory: what a run makes of its stacks' outcomes is tested with it in milliseconds.

It runs no program and asks no world. Each operation returns what the test says, and stacks exist as a real engine would
leave them: after an `up` that changed something, until they are removed.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from aiinfra.dataclass import dataclass
from aiinfra.engine.host_records import FailedResource, OperationResult
from aiinfra.engine.wire import Tree
from aiinfra.report.run import Verb
from aiinfra.session.runner import StackProgram


@dataclass(slots=True)
class FakeRunner:
    """Answers `operate` with `results`, by verb and stack; without one the operation succeeds and changes nothing."""

    results: dict[tuple[Verb, str], OperationResult] = field(default_factory=dict)
    stacks: dict[str, Mapping[str, Tree]] = field(default_factory=dict)
    """The outputs of the stacks that exist."""
    deployments: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    operations: list[tuple[Verb, str]] = field(default_factory=list)
    """The requested operations, in order."""
    read_first: list[str] = field(default_factory=list)
    """Stacks whose world was to be read before the operation."""
    absent: bool = False
    stopped: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def succeeds(self, verb: Verb, stack: str, changes: Mapping[str, int], **outputs: Tree) -> None:
        """Let an operation change resources and give outputs."""
        self.results[verb, stack] = OperationResult(changes, outputs)

    def fails(self, verb: Verb, stack: str, message: str) -> None:
        """Let an operation fail with a provider's message."""
        failed = FailedResource(f"urn:pulumi:{stack}::fake::fake:index:Thing::thing", message)
        self.results[verb, stack] = OperationResult({}, {}, message, "failed", failed_resources=(failed,))

    def prepare(self) -> None:
        """Nothing has to be started."""

    def operate(
        self, verb: Verb, stack: str, program: StackProgram | None = None, *, refresh: bool = False
    ) -> OperationResult:
        with self._lock:
            self.operations.append((verb, stack))
            if refresh:
                self.read_first.append(stack)
            done = self.results.get((verb, stack)) or OperationResult({}, self.stacks.get(stack, {}))
            if verb is Verb.UP:
                self.stacks[stack] = done.outputs
            return done

    def existing(self) -> Collection[str]:
        return list(self.stacks)

    def outputs(self, stack: str) -> Mapping[str, Tree]:
        return self.stacks.get(stack, {})

    def deployment(self, stack: str) -> Mapping[str, Any]:
        return self.deployments.get(stack, {"resources": []})

    def remove(self, stack: str, *, force: bool = False) -> None:
        self.stacks.pop(stack, None)

    def stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        """Nothing was started."""
