"""What a domain does for a lab: its simulated servers, its faults, the access that stacks get, what is assumed.

`Domain.lab` names a `LabDomain`, which commands use; its `server` names a `LabServer`, which the lab's supervisor runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from aiinfra.dataclass import dataclass
from aiinfra.stack import SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.domain_packages import PackageReport
    from aiinfra.engine.wire import Tree
    from aiinfra.plan.planner import Plan
    from aiinfra.providers.contract import ProviderSpec

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FaultType:
    """A fault that can be set in a lab, with all that commands need to know of it."""

    name: str
    """`image-pull`; unique among all domains."""
    effect: str
    """What a user sees of it, one sentence: `images of the operators cannot be pulled`."""
    sign: str = ""
    """A text that an account of a failure by this fault cannot do without. Empty with `overcome`."""
    overcome: bool = False
    """True when no stack may fail by it: it strikes while a stack works, and is survived."""
    scope: Literal["stack", "access", "domain"] = "stack"
    """What `--fault NAME@STACK` breaks. `stack`: what belongs to it alone; `access`: what it works in, known by the
    stack that gives access to that; `domain`: the domain as a whole, and STACK only tells who must notice."""
    place: str = "a stack, or a cluster by the name of its stack"
    """What `aiinfra lab fault --at` takes, in words."""

    def __post_init__(self) -> None:
        """Raises `ValueError`: without a sign, any failure would pass for this fault."""
        if bool(self.sign) == self.overcome:
            raise ValueError(f"{self.name}: a fault has a sign, or is overcome")


@dataclass(frozen=True, slots=True)
class SetFault:
    """A fault that is set now."""

    name: str
    place: str
    """Empty: everywhere."""
    since: str
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a lab gives to stacks in place of connection inputs: the file leaves them out, or they must not be read."""

    inputs: Mapping[StackName, Mapping[str, Any]] = field(default_factory=dict)
    """By stack and input the value to use; unresolved leaves are the `SecretSource`s of `secrets`."""
    secrets: Mapping[SecretSource, Tree] = field(default_factory=dict)
    """What opens them: a secret, a plain value, or unknown while the lab does not run."""


class LabDomain(Protocol):
    """A domain's half of a lab, as commands use it. Its module is imported by every command on a lab: keep it light."""

    key: str
    """The key below `lab:` that describes the simulated world: `vcenter`. Views and records name its parts by it."""
    part: str
    """What a stack works in, as people call it: `cluster`, `vCenter`."""
    model: str
    """`package.module:function` that returns the type of that key's value, as pydantic takes it, and its default: a
    `FieldInfo` that describes the key."""
    tools: Sequence[str]
    """Names of programs that the toolchain must have."""
    simulated: Sequence[str]
    """What is simulated of it, one sentence each; in every report of a lab run that uses it."""
    not_checked: Sequence[str]
    """What the real world refuses and the simulated one does not, one phrase each; in the report of a rehearsal."""
    faults: Sequence[FaultType]
    server: str
    """`package.module:Class`: a `LabServer`, made in the lab's supervisor with one `LabServerContext`."""

    def spec(self, plan: Plan) -> Tree | None:
        """Return what the lab must have for a plan, as JSON; None when the plan does not use the domain."""
        ...

    def provides(self, folder: Path, spec: Tree) -> bool:
        """Whether the running lab in this folder matches the spec already; must be quick."""
        ...

    def connection(self, folder: Path | None, plan: Plan) -> Connection:
        """Return access to what the lab in this folder provides; unknown values when the folder is None."""
        ...

    def stand_ins(self, folder: Path) -> Sequence[ProviderSpec]:
        """Return the providers to attach under official names, also for a plan without the domain."""
        ...

    def access(self, plan: Plan, stack: StackName) -> Sequence[StackName]:
        """Return the stacks that give access to the parts that a stack works in: itself, or its nearest needs."""
        ...

    def assumed(self, plan: Plan, described: Tree) -> tuple[Tree, Sequence[str]]:
        """The value of `key` with what the file leaves out, and one sentence an assumption.

        `described` is what the file has, None when it has nothing; so is the answer when nothing is to be added.
        """
        ...


@runtime_checkable
class VariesByPlan(Protocol):
    """A `LabDomain` whose programs and simulations depend on what an environment's `lab:` says."""

    key: str

    def tools_of(self, plan: Plan) -> Sequence[str]:
        """Return the names of programs that this plan needs, in the place of `LabDomain.tools`."""
        ...

    def simulated_of(self, plan: Plan) -> Sequence[str]:
        """Return what is simulated of it for this plan, in the place of `LabDomain.simulated`."""
        ...

    def with_real_operators(self, described: Tree) -> Tree:
        """Return the value of `key` with real operators in the place of stand-ins, where there are any."""
        ...

    def real_operators(self, described: Any, *, everywhere: bool) -> Sequence[Any]:
        """Return the operators that run for real, as records that kinds know.

        `described`: the value of `key`, checked already; None when there is none. `everywhere`: whatever it says.
        """
        ...


@runtime_checkable
class StandsInForPlugins(Protocol):
    """A `LabDomain` whose stand-ins can give way to the official plugins, against its own servers."""

    @property
    def of_plugin(self) -> Mapping[str, Sequence[str]]:
        """Return, by plugin, the sentences of `simulated` that hold only while its stand-in runs."""
        ...


@runtime_checkable
class TriesPackages(Protocol):
    """A `LabDomain` whose parts can refuse what a real package makes, without making it."""

    def try_package(self, folder: Path, plan: Plan, report: PackageReport) -> Iterable[PackageReport]:
        """Yield what came of a dry run in the lab that runs in `folder`; its problems are what was refused."""
        ...


@runtime_checkable
class DescribesHardware(Protocol):
    """A `LabDomain` whose description is judged by the rules of kinds, so that what cannot work is not started."""

    key: str

    def hardware(self, described: Any) -> Sequence[Any]:
        """Return what the value of `key` describes, checked already, as records that kinds know."""
        ...


class LabServerContext(Protocol):
    """What the lab's supervisor gives to the servers of a domain."""

    @property
    def folder(self) -> Path:
        """Return the lab's folder."""
        ...

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a child process that dies with the lab; its log is `logs/<name>.log`, `/` as `-`.

        Raises `OSError`, which the supervisor reports. Names are unique among all domains of the lab.
        """
        ...

    def keep(self, names: Collection[str]) -> None:
        """Start these again whenever they end."""
        ...

    def stop(self, names: Sequence[str]) -> None:
        """End these children, all at once."""
        ...

    def running(self) -> Collection[str]:
        """Return the names of the domain's children that were started and not stopped, also of those that ended."""
        ...

    def why_ended(self, names: Sequence[str]) -> str:
        """Return a sentence on the first of these that ended by itself; empty when all run."""
        ...

    def changed(self) -> None:
        """Write the lab's record anew, as what the domain's `record` returns has changed."""
        ...


class LabServer(Protocol):
    """A domain's servers, in the supervisor's process."""

    def ensure(self, spec: Tree, binaries: Mapping[str, str], say: Say) -> None:
        """Start what is missing and change what differs. Raises `OutsideError`. Calls do not overlap."""
        ...

    def record(self) -> Mapping[str, Any]:
        """Return the domain's part of the lab's record, as JSON: access that is no secret, by part."""
        ...

    def check_place(self, fault: str, place: str) -> None:
        """Raises `ConfigError` `lab.unknown_place` when the fault cannot be set there; an empty place is everywhere."""
        ...

    def apply_faults(self, faults: Iterable[SetFault]) -> None:
        """Set exactly these faults of the domain and lift all others."""
        ...

    def stop(self) -> None:
        """End all children, in the order that they need."""
        ...


@runtime_checkable
class MakesParts(Protocol):
    """A `LabServer` that can make and remove one part during a run, when a stand-in asks for it.

    A stand-in for an installer or a cloud makes the cluster that its stack exports, and a destroy removes it. Both are
    asked for from several threads at once, also while `ensure` runs.
    """

    def make(self, name: str, description: Tree, binaries: Mapping[str, str], say: Say) -> Mapping[str, Any]:
        """The record of the part of this name, which is started when there is none, and changed when it differs.

        The name is that of the stack that exports the access, so that faults can be set at it. Raises `OutsideError`.
        """
        ...

    def remove(self, name: str) -> None:
        """End its processes and delete its files, if the part exists."""
        ...
