"""The contract of a stack kind: what it takes, what it gives, the program that declares it.

A kind is a folder `stacks/<kind>/` with `spec.py` (inputs, outputs), `checks.py` (pure rules), `program.py`
(the Pulumi program, the only module there that imports pulumi) and `__init__.py` (`STACK = StackType(...)`).
This module imports no Pulumi: read-only commands load every kind and must stay fast.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, runtime_checkable

from aiinfra.errors import ConfigError
from aiinfra.fields import (
    LATE,
    LATE_PATTERN,
    SECRET,
    Input,
    Inputs,
    Linked,
    Outputs,
    Ref,
    SecretField,
    SecretSource,
    StackName,
)

__all__ = [
    "LATE",
    "LATE_PATTERN",
    "MARK_ENVIRONMENT",
    "MARK_ID",
    "MARK_STACK",
    "SECRET",
    "Broken",
    "ClusterNeed",
    "Finding",
    "Input",
    "Inputs",
    "LabNeeds",
    "Linked",
    "NodeTraces",
    "Outputs",
    "Preflight",
    "Program",
    "Ref",
    "Rules",
    "RulesAround",
    "SecretField",
    "SecretSource",
    "StackContext",
    "StackName",
    "StackType",
    "Surroundings",
    "VCenterNeed",
]

I = TypeVar("I", bound=Inputs)  # noqa: E741  the contract reads StackType[I, O]
O = TypeVar("O", bound=Outputs)  # noqa: E741

MARK_ENVIRONMENT = "aiinfra.dev/environment"
MARK_ID = "aiinfra.dev/environment-id"
MARK_STACK = "aiinfra.dev/stack"


@dataclass(frozen=True, slots=True)
class StackContext:
    """What a program may know about where it stands."""

    environment: str
    environment_id: str
    """Eight or more hex digits, made by the first `up`; what sweeps match."""
    stack: StackName
    proof: str = ""
    """A token that changes when a proof is to run again (`up --prove`)."""
    base: Path = Path()
    """Folder of the environment file, where relative paths in it start."""

    def labels(self) -> dict[str, str]:
        """The marks that everything we make in the world carries."""
        return {MARK_ENVIRONMENT: self.environment, MARK_ID: self.environment_id, MARK_STACK: self.stack}


Program = Callable[[StackContext, Any], Outputs]


@dataclass(frozen=True, slots=True)
class NodeTraces:
    """What an operator writes on nodes and leaves there when it is uninstalled; a whole destroy takes it off."""

    prefixes: tuple[str, ...]
    """Of the names of labels and annotations."""
    managers: tuple[str, ...]
    """Field managers of the operator's programs: what others set under the same prefixes stays."""
    definition: str
    """Name of a CustomResourceDefinition that the operator works by: while it stands, one may be at work."""


@dataclass(frozen=True, slots=True)
class StackType(Generic[I, O]):
    """One kind."""

    kind: str
    summary: str
    """One line for `aiinfra kinds`."""
    inputs: type[I]
    outputs: type[O]
    program: str
    """`package.module:function`, imported only when it runs: `def program(context: StackContext, inputs: I) -> O`."""
    checks: object = None
    """May answer `Rules`, `RulesAround`, `Preflight`, `LabNeeds`; see those."""
    plugins: tuple[str, ...] = ()
    """Official providers that the program uses: `kubernetes`."""
    proves: bool = False
    """A proof: its success grows old, and `up --prove` runs it again."""
    connection: tuple[str, ...] = ()
    """Inputs that say how to reach the outside; a lab puts their defaults in their place and reads none of them."""
    lab_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of inputs that are others in a lab."""
    foreign: str = ""
    """What others decide of the outcome, in words (`its chart's objects`): a plan of it is likely, never exact."""
    traces: tuple[NodeTraces, ...] = ()
    """What remains of it on nodes."""
    foretold: tuple[str, ...] = ()
    """Outputs that follow from the stack's own values in the file, so that they are known before it ever ran."""
    sources: tuple[Path, ...] = field(default=())
    """More files or folders whose change means the stack must run again (its templates)."""

    def watched(self) -> tuple[Path, ...]:
        """The folder of its program, and `sources`."""
        try:
            spec = importlib.util.find_spec(self.program.partition(":")[0])
        except ModuleNotFoundError:
            spec = None
        own = (Path(spec.origin).parent,) if spec and spec.origin else ()
        return tuple(dict.fromkeys((*own, *self.sources)))

    def load_program(self) -> Program:
        """Raises `ConfigError` when there is none under its name."""
        module, _, function = self.program.partition(":")
        try:
            return cast("Program", getattr(importlib.import_module(module), function))
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"the program {self.program} of the kind {self.kind} cannot be loaded: {error}",
                code="catalog.broken_package",
                where=self.program,
                hint="see program= of its StackType",
            ) from error


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of a kind that the inputs break. `at` is the path below the stack's entry: `("expect", "gpus")`."""

    at: tuple[str | int, ...]
    message: str
    hint: str = ""


@runtime_checkable
class Rules(Protocol):
    """Pure rules over inputs; late values (`Ref`, `SecretSource`) may stand where literals would."""

    def rules(self, inputs: Any) -> Iterable[Broken]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a preflight found. `unknown` is never ok."""

    level: Literal["ok", "warning", "error", "unknown"]
    about: str
    """The object: a host, a cluster, a quota."""
    read: str
    needed: str
    hint: str = ""
    source: str = ""
    code: str = "preflight.finding"
    host: str = ""
    """Name of the host that it is about; empty when it is about no host."""
    lasting: bool = False
    """True when nothing that anybody does makes it go: `doctor` shows it, a run does not speak of it again."""


@runtime_checkable
class Preflight(Protocol):
    """Judges facts that adapters asked for. `facts` maps a fact's name (`kubernetes`) to its value object."""

    wants: tuple[str, ...]

    def preflight(self, inputs: Any, facts: Mapping[str, Any]) -> Iterable[Finding]: ...


@dataclass(frozen=True, slots=True)
class ClusterNeed:
    """Hardware that a stack asks of the cluster it runs on; a rehearsal provides it and says it is assumed."""

    cluster: StackName | None
    """The stack that provides the cluster, or None when it cannot be told."""
    gpu_model: str = ""
    gpu_nodes: int = 0
    gpus_per_node: int = 0


@dataclass(frozen=True, slots=True)
class VCenterNeed:
    """What a stack asks of a vCenter: names as the file has them; a rehearsal provides them and says so."""

    datacenter: str
    cluster: str
    datastore: str
    folder: str
    """Below the datacenter's folder of VMs; empty: that one."""
    source: str
    """Of a template, below the same folder; empty when there is none."""
    gpu_model: str
    mode: Literal["vgpu", "mig", "passthrough"]
    gpus: int
    """In one VM."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules of a kind may know of the environment around one stack."""

    environment: str
    """Its name."""
    target: Literal["real", "lab"]
    stacks: Mapping[StackName, tuple[str, Inputs]]
    """Kind and inputs of every stack, the one that is judged included."""


@runtime_checkable
class LabNeeds(Protocol):
    """Which hardware a rehearsal must have, where the file describes none."""

    def lab_needs(self, inputs: Any, around: Surroundings) -> Iterable[ClusterNeed | VCenterNeed]: ...


@runtime_checkable
class RulesAround(Protocol):
    """Pure rules over a stack and what stands around it: the target, the other stacks."""

    def rules_around(self, name: StackName, inputs: Any, around: Surroundings) -> Iterable[Broken]: ...
