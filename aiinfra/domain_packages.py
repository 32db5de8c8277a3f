"""What a domain may do with the packages that stacks install from elsewhere, such as charts: judge and keep them.

`Domain.world` names an object that may be a `JudgesPackages`; what judges is asked with `isinstance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from aiinfra.dataclass import dataclass
from aiinfra.stack import StackName, Violation

if TYPE_CHECKING:
    from pathlib import Path

    from aiinfra.plan.planner import Step


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource as the program of a stack declares it."""

    type: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PackageReport:
    """What came of judging one package that a stack installs, by the package itself."""

    stack: StackName
    what: str
    """`chart gpu-operator v26.7.0`."""
    how: str
    """`Helm rendered the real chart …`, or `stand-in for the chart …` and why."""
    real: bool
    """Whether the package itself was there; else a stand-in is all that is known of it."""
    why: str = ""
    """Why it was not there."""
    lost: bool = False
    """Whether it is not where the file, or its publisher, says; False where only what judges it is missing."""
    later: bool = False
    """Whether it can be judged in a run only, as it gets what another stack makes."""
    problems: Sequence[Violation] = ()
    objects: Sequence[Mapping[str, Any]] = ()
    """What it makes, in order."""
    definitions: Sequence[str] = ()
    """Names of the CRDs that it brings."""
    source: Any = None
    """Where it comes from, in a form that the domain itself reads."""

    def __str__(self) -> str:
        return f"{self.stack}: {self.how}"


@dataclass(frozen=True, slots=True)
class KeptPackage:
    """A package in a folder of this machine."""

    path: Path
    images: Sequence[str]
    """The images that it uses with the values of its stack."""


FindTool = Callable[[str], "Path"]
"""Returns a program of the toolchain, by name. Raises `OutsideError` when it cannot be had."""


@runtime_checkable
class JudgesPackages(Protocol):
    """Judges what a stack installs from elsewhere, such as a chart, by the thing itself, before anything runs."""

    def package_source(self, step: Step) -> Literal["", "official", "named"]:
        """Say whether the stack may install a package, and whether its file says where that comes from."""
        ...

    def judge_packages(
        self, step: Step, declared: Sequence[Declared], tool: FindTool, environ: Mapping[str, str]
    ) -> Iterator[PackageReport]:
        """Yield a report for each package among the resources that the program of the stack declares."""
        ...

    def to_be_mirrored(self, step: Step, base: Path) -> Step:
        """Return a stack as its packages and what they use are fetched for a mirror. Relative paths start at `base`."""
        ...

    def keep_package(
        self, report: PackageReport, folder: Path, tool: FindTool, environ: Mapping[str, str]
    ) -> KeptPackage:
        """Write the package of a report that had it into a folder. Raises `OutsideError`."""
        ...
