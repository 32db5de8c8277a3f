"""The interface of a resource type of a provider that we serve, and the values that it takes and returns.

`servicer.py` turns this into Pulumi's gRPC ResourceProvider. The stand-ins of the lab are built on the same contract.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from aiinfra.dataclass import dataclass
from aiinfra.engine.wire import Tree

Properties = Mapping[str, Tree]
NOT_REPAIRED = "no upgrade brings it back"
"""Part of a sentence in a resource's output `drift` about what the next update does not repair."""


@dataclass(frozen=True, slots=True)
class Call:
    """The context of one request."""

    urn: str
    """`urn:pulumi:<stack>::<project>::<type>::<name>`."""
    config: Properties
    """The provider's configuration as given on this connection (several clusters share one servicer)."""
    stop: threading.Event
    """Set when the engine cancels this connection: waits end at once."""
    say: Callable[[str, float], None]
    """`say(what, seconds)` reports what is awaited and for how long; it becomes a `Waiting` event."""
    preview: bool = False

    @property
    def stack(self) -> str:
        return self.urn.split("::")[0].rpartition(":")[2]

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[3]


@dataclass(frozen=True, slots=True)
class CheckFailure:
    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diff:
    changed: Sequence[str] = ()
    """Dotted paths that differ; empty means no change."""
    replace: Sequence[str] = ()
    """Those of `changed` that need a replacement."""
    delete_before_replace: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as it is in the world now."""

    id: str
    outputs: Properties
    inputs: Properties | None = None
    """Only after a read: the inputs as the world shows them."""


class PartlyMade(Exception):
    """Create or update changed the world and then failed: the state must keep what exists."""

    def __init__(self, made: Made, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.made = made
        self.reasons = tuple(reasons)


class ResourceHandler(Protocol):
    """One resource type. Raises `aiinfra.errors.StepError` with its causes when the world refuses."""

    def check(self, call: Call, inputs: Properties) -> tuple[Properties, Sequence[CheckFailure]]: ...
    def diff(self, call: Call, id: str, olds: Properties, old_inputs: Properties, news: Properties) -> Diff: ...
    def create(self, call: Call, inputs: Properties) -> Made: ...
    def read(self, call: Call, id: str, inputs: Properties, state: Properties) -> Made | None: ...
    def update(self, call: Call, id: str, olds: Properties, news: Properties) -> Made: ...
    def delete(self, call: Call, id: str, state: Properties) -> None: ...


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A provider: its name, its resource types and its functions."""

    name: str
    version: str
    resources: Mapping[str, ResourceHandler]
    """Handlers by type token: `<provider>:<domain>:<Type>`."""
    fallback: ResourceHandler | None = None
    """The handler of type tokens that are not in `resources`; None refuses them by name."""
    invokes: Mapping[str, Callable[[Call, Properties], Properties]] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None
    """Called once, when the provider is no longer served."""
