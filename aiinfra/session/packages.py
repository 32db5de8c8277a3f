"""What stacks install from elsewhere, judged by the thing itself: programs are recorded, and domains judge them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from aiinfra.catalog import domains_of
from aiinfra.config import Loaded
from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.domain_run import Declared, KeptPackage, PackageReport
from aiinfra.engine.wire import UNKNOWN, Secret, Tree
from aiinfra.errors import ConfigError, OutsideError, Problem
from aiinfra.model.tree import as_tree, dotted, leaves
from aiinfra.plan.planner import Plan
from aiinfra.plan.secrets import read_source
from aiinfra.session.worlds import package_judges
from aiinfra.stack import SecretSource, StackName
from aiinfra.toolchain import Toolchain
from aiinfra.world import World

Scope = Literal["named", "ready", "all"]
"""Packages of which the file says where they come from; besides, others when the program that judges them is there;
all, whatever has to be built for it."""


@dataclass(frozen=True, slots=True)
class PackageJudge:
    """Judges the packages of one environment."""

    loaded: Loaded
    world: World
    toolchain: Toolchain
    on_secrets: Callable[[Collection[str]], None]
    say: Callable[[str], None]

    def judge(self, scope: Scope, chosen: Collection[StackName] | None = None) -> list[PackageReport]:
        """Return a report for each package. Raises `ConfigError` when one cannot work: nothing was touched."""
        reports = list(self.reports(scope, chosen))
        self.refuse(reports)
        return reports

    def mirror(self, folder: Path) -> list[KeptPackage]:
        """Write every package into a folder. Raises `OutsideError` for one that cannot be had: nothing is written."""
        found = self.judge("all")
        if lost := [report for report in found if not report.real]:
            hint = "a machine that reaches it can make the mirror"
            message = f"{lost[0].what} cannot be had: {lost[0].why}"
            raise OutsideError(message, code="package.unreachable", where=lost[0].stack, hint=hint)
        with folder_errors("the folder for packages", folder):
            folder.mkdir(parents=True, exist_ok=True)
        tool, steps = self._tool(True), self.loaded.plan.steps
        judges = {report.stack: next(package_judges(steps[report.stack]))[0] for report in found}
        return [judges[one.stack].keep_package(one, folder, tool, self.world.environ) for one in found]

    def refuse(self, reports: Sequence[PackageReport]) -> None:
        """Raise `ConfigError` `config.package` with every problem that the reports have."""
        problems = [
            Problem(self.loaded.where(at), dotted(at), broken.message, broken.hint, code="config.package")
            for report in reports
            for broken in report.problems
            for at in [("stacks", report.stack, *broken.at)]
        ]
        if problems:
            raise ConfigError(problems=problems)

    def reports(self, scope: Scope, chosen: Collection[StackName] | None = None) -> Iterator[PackageReport]:
        """Yield a report for each package of the chosen stacks, of all when none is chosen."""
        plan = self.loaded.plan
        steps = [step for name, step in plan.steps.items() if chosen is None or name in chosen]
        found = ((step.name, judge, source) for step in steps for judge, source in package_judges(step))
        asked = {name: (judge, source) for name, judge, source in found if scope != "named" or source == "named"}
        if not asked:
            return
        from aiinfra.render.rendering import record

        base = self.loaded.path.absolute().parent
        for name, recording in record(plan, list(asked), base, self._opener()):
            judge, source = asked[name]
            declared = [Declared(one.type, one.name, one.properties) for one in recording.resources]
            build = scope == "all" or source == "named"
            yield from judge.judge_packages(plan.steps[name], declared, self._tool(build), self.world.environ)

    def _tool(self, build: bool) -> Callable[[str], Path]:
        def find(name: str) -> Path:
            if not build and self.toolchain.find(self.toolchain.tools[name]) is None:
                message = f"{name} is not built here"
                raise OutsideError(message, hint=f"aiinfra toolchain install {name} builds it")
            return self.toolchain.ensure([name], self.say)[name]

        return find

    def _opener(self) -> Callable[[SecretSource], Tree]:
        """Return what reads the secret sources of the blocks that say where packages come from, and no others."""
        readable = set(_package_sources(self.loaded.plan))
        folder = self.loaded.path.absolute().parent

        def read(source: SecretSource) -> Tree:
            value = read_source(source, self.world, folder) if source in readable else None
            if not isinstance(value, str):
                return UNKNOWN
            self.on_secrets([value])
            return Secret(value)

        return read


def _package_sources(plan: Plan) -> Iterator[SecretSource]:
    """Yield the secret sources in the blocks of domains, as the stacks that install packages take them."""
    for step in plan.steps.values():
        if any(package_judges(step)):
            inputs = as_tree(step.inputs)
            keys = [domain.block.key for domain in domains_of([step.kind]).values() if domain.block]
            parts = [inputs[key] for key in keys if isinstance(inputs, Mapping) and key in inputs]
            yield from (leaf for part in parts for _, leaf in leaves(part) if isinstance(leaf, SecretSource))
