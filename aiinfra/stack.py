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
    SECRET,
    UNRESOLVED,
    UNRESOLVED_PATTERN,
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
    "MARK_ENVIRONMENT",
    "MARK_ID",
    "MARK_STACK",
    "SECRET",
    "UNRESOLVED",
    "UNRESOLVED_PATTERN",
    "Finding",
    "GivesAccess",
    "Input",
    "Inputs",
    "LabNeeds",
    "Linked",
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
    "Violation",
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
    """May answer `Rules`, `RulesAround`, `Preflight`, `GivesAccess`, `LabNeeds`; see those."""
    domains: tuple[str, ...] = ()
    """Names of the outside worlds that it works in: they are verified, observed and swept for it, and their code is a
    part of its digest. Its program may declare resources of these domains only."""
    plugins: tuple[str, ...] = ()
    """Official providers that the program uses, as Pulumi calls them."""
    proves: bool = False
    """A proof: its success grows old, and `up --prove` runs it again."""
    connection: tuple[str, ...] = ()
    """Inputs that say how to reach the outside; a lab puts their defaults in their place and reads none of them."""
    lab_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of inputs that are others in a lab."""
    external: str = ""
    """What others decide of the outcome, in words (`its chart's objects`): a plan of it is likely, never exact."""
    leftovers: tuple[Any, ...] = ()
    """Records of its domains: what its software leaves in the world when it is uninstalled, for their sweeps."""
    known_outputs: tuple[str, ...] = ()
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
class Violation:
    """A rule of a kind that the inputs break. `at` is the path below the stack's entry: `("expect", "gpus")`."""

    at: tuple[str | int, ...]
    message: str
    hint: str = ""


@runtime_checkable
class Rules(Protocol):
    """Pure rules over inputs; late values (`Ref`, `SecretSource`) may stand where literals would."""

    def rules(self, inputs: Any) -> Iterable[Violation]: ...


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
    """Judges what the world says before a stack runs, in `up` and in `doctor`."""

    def questions(self, inputs: Any) -> Mapping[str, Any]:
        """By the name of a domain, what is asked of it; the domain says which type its questions have."""
        ...

    def preflight(self, inputs: Any, facts: Mapping[str, Any]) -> Iterable[Finding]:
        """`facts` has the answer of each domain that could be asked, by its name."""
        ...


@runtime_checkable
class GivesAccess(Protocol):
    """A kind that hands on access which the file gives: it is known before the stack runs."""

    def access(self, inputs: Any, text: str) -> str:
        """What the stack will export, from the text of its connection input. Raises `AiinfraError`."""
        ...


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

    def lab_needs(self, inputs: Any, around: Surroundings) -> Iterable[Any]:
        """Records of the kind's domains, which say what the simulated world must have."""
        ...


@runtime_checkable
class RulesAround(Protocol):
    """Pure rules over a stack and what stands around it: the target, the other stacks."""

    def rules_around(self, name: StackName, inputs: Any, around: Surroundings) -> Iterable[Violation]: ...
