"""The contract of a stack kind: its inputs, its outputs, and the program that declares its resources.

A kind is a folder `stacks/<kind>/` with `spec.py` (inputs, outputs), `checks.py` (pure rules), `program.py`
(the Pulumi program, the only module there that imports pulumi) and `__init__.py` (`STACK = StackType(...)`).
This module imports no Pulumi: read-only commands load every kind and must stay fast.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, runtime_checkable

from aiinfra.dataclass import dataclass
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
    "PreflightAround",
    "Program",
    "ReadsFiles",
    "Ref",
    "Rules",
    "RulesAround",
    "SecretField",
    "SecretSource",
    "StackContext",
    "StackName",
    "StackType",
    "Supersedes",
    "Surroundings",
    "UsedFile",
    "UsesFiles",
    "Violation",
]

I = TypeVar("I", bound=Inputs)  # noqa: E741  the contract reads StackType[I, O]
O = TypeVar("O", bound=Outputs)  # noqa: E741

MARK_ENVIRONMENT = "aiinfra.dev/environment"
MARK_ID = "aiinfra.dev/environment-id"
MARK_STACK = "aiinfra.dev/stack"


@dataclass(frozen=True, slots=True)
class StackContext:
    """What a program may know of the environment and the stack that it runs for."""

    environment: str
    environment_id: str
    """Eight or more hex digits, made by the first `up`; what sweeps match."""
    stack: StackName
    proof: str = ""
    """A token that changes when a proof must run again (`up --prove`)."""
    base: Path = Path()
    """Folder of the environment file, where relative paths in it start."""

    def labels(self) -> dict[str, str]:
        """Return the marks that every object of ours in the world carries."""
        return {MARK_ENVIRONMENT: self.environment, MARK_ID: self.environment_id, MARK_STACK: self.stack}


Program = Callable[[StackContext, Any], Outputs]


@dataclass(frozen=True, slots=True)
class StackType(Generic[I, O]):
    """A kind of stack."""

    kind: str
    summary: str
    """One line for `aiinfra kinds`."""
    inputs: type[I]
    outputs: type[O]
    program: str
    """`package.module:function`, imported only when it runs: `def program(context: StackContext, inputs: I) -> O`."""
    checks: object = None
    """Has any of the protocols `Rules`, `RulesAround`, `Preflight`, `PreflightAround`, `GivesAccess`, `ReadsFiles`,
    `Supersedes`, `UsesFiles`, `LabNeeds`."""
    domains: tuple[str, ...] = ()
    """Names of the domains that it works in: they are verified, observed and swept for it, and their code is a part of
    its digest. Its program may declare resources of these domains only."""
    plugins: tuple[str, ...] = ()
    """Official providers that the program uses, as Pulumi calls them."""
    proves: bool = False
    """True for a proof: its success has an age, and `up --prove` runs it again."""
    connection: tuple[str, ...] = ()
    """Inputs that say how to reach the outside. A lab replaces them by their defaults and reads none of them."""
    lab_defaults: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of inputs in a lab, where they differ from those of a real target."""
    external: str = ""
    """What others decide of the outcome, in words (`its chart's objects`): a plan of it is likely, never exact."""
    leftovers: tuple[Any, ...] = ()
    """Records of its domains: what its software leaves in the world when it is uninstalled, for their sweeps."""
    offers: tuple[Any, ...] = ()
    """Records of its domains: what its software gives to others while it is there, for a destroy to name who loses it.
    """
    known_outputs: tuple[str, ...] = ()
    """Outputs that follow from the stack's own inputs in the file, so that they are known before its first run."""
    sources: tuple[Path, ...] = field(default=())
    """More files or folders whose change means the stack must run again (its templates)."""

    def load_program(self) -> Program:
        """Import and return the program. Raises `ConfigError` `catalog.broken_package` when it cannot be loaded."""
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
    """A rule of a kind that the inputs violate. `at` is the path below the stack's entry: `("expect", "gpus")`."""

    at: tuple[str | int, ...]
    message: str
    hint: str = ""


@runtime_checkable
class Rules(Protocol):
    """Pure rules over inputs, in which unresolved values (`Ref`, `SecretSource`) may take the place of literals."""

    def rules(self, inputs: Any) -> Iterable[Violation]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a preflight."""

    level: Literal["ok", "note", "warning", "error", "unknown"]
    """`note`: true, worth knowing, and no flaw. `warning`: stops no run, and the hint removes it. `unknown`: could not
    be read, and never counts as ok."""
    about: str
    """The object: a host, a cluster, a quota."""
    read: str
    needed: str
    hint: str = ""
    source: str = ""
    code: str = "preflight.finding"
    host: str = ""
    """Name of the host that the finding is about, if it is about one."""


@runtime_checkable
class Preflight(Protocol):
    """Judges the facts of the world before a stack runs, in `up` and in `doctor`."""

    def questions(self, inputs: Any) -> Mapping[str, Any]:
        """Return the questions to each domain, by its name. The domain defines the type of its questions."""
        ...

    def preflight(self, inputs: Any, facts: Mapping[str, Any]) -> Iterable[Finding]:
        """Yield the findings. `facts` has the answer of each domain that could be asked, by its name."""
        ...


@runtime_checkable
class PreflightAround(Protocol):
    """A `Preflight` that also judges what the other stacks of the environment ask of the same places."""

    def preflight_around(
        self, name: StackName, inputs: Any, facts: Mapping[str, Any], around: Surroundings
    ) -> Iterable[Finding]:
        """Yield the findings, in place of `Preflight.preflight`."""
        ...


@runtime_checkable
class GivesAccess(Protocol):
    """A kind that exports the access that the file gives, so that it is known before the stack runs."""

    def access(self, inputs: Any, text: str) -> str:
        """Return what the stack will export, from the text of its connection input. Raises `AiinfraError`."""
        ...


@runtime_checkable
class ReadsFiles(Protocol):
    """A kind whose connection input, given as `${file:PATH}`, may name other files beside that one."""

    def self_contained(self, inputs: Any, text: str, folder: Path) -> str:
        """The text that means the same without its `folder`. Raises `AiinfraError` for a file that cannot be read."""
        ...


@runtime_checkable
class Supersedes(Protocol):
    """A kind in which one input can have the last word on what another one stands for."""

    def superseded(self, inputs: Any) -> Mapping[tuple[str | int, ...], tuple[str | int, ...]]:
        """Return the inputs that do not count, each with the path of the input that is used instead."""
        ...


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file or folder that the result of a stack is made of."""

    at: tuple[str, ...]
    """The input that names it."""
    path: Path
    hint: str = ""
    """How it is had where it is missing."""


@runtime_checkable
class UsesFiles(Protocol):
    """A kind whose inputs name files that its result is made of: where one changed, the stack runs again."""

    def files(self, inputs: Any, base: Path) -> Iterable[UsedFile]:
        """Yield the files and folders. Relative paths start at `base`."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules of a kind may know of the environment of a stack."""

    environment: str
    """Its name."""
    target: Literal["real", "lab"]
    stacks: Mapping[StackName, tuple[str, Inputs]]
    """Kind and inputs of every stack of the environment, this one included."""
    hardware: Sequence[Any] = ()
    """What `lab:` of the file describes, as records of the domains; empty on a real target."""


@runtime_checkable
class LabNeeds(Protocol):
    """The hardware that a rehearsal needs when the file describes none."""

    def lab_needs(self, inputs: Any, around: Surroundings) -> Iterable[Any]:
        """Yield records of the kind's domains that describe the simulated hardware."""
        ...


@runtime_checkable
class RulesAround(Protocol):
    """Pure rules over a stack, its target and the other stacks."""

    def rules_around(self, name: StackName, inputs: Any, around: Surroundings) -> Iterable[Violation]: ...
