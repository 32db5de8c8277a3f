"""What stacks install from elsewhere, judged by the thing itself: programs are recorded, and domains judge them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Literal

from aiinfra.catalog import domains_of
from aiinfra.config import Loaded
from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.domain_packages import Declared, KeptPackage, PackageReport
from aiinfra.engine.wire import UNKNOWN, Secret, Tree
from aiinfra.errors import ConfigError, OutsideError, Problem
from aiinfra.model.tree import as_tree, dotted, leaves
from aiinfra.plan.planner import Plan, Step
from aiinfra.plan.secrets import needed_secrets, read_source
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
    without_tools: list[OutsideError] = field(default_factory=list)
    """Why programs that judge cannot be had."""

    def judge(self, scope: Scope, chosen: Collection[StackName] | None = None) -> list[PackageReport]:
        """Return a report for each package. Raises `ConfigError` when one cannot work: nothing was touched."""
        reports = list(self.reports(scope, chosen))
        self.refuse(reports)
        return reports

    def judge_all(self) -> list[PackageReport]:
        """Return a report for each package that was judged by itself, or is in a run only, for every stack.

        Raises `ConfigError` as `judge` and for a secret that is not here, `OutsideError` where what judges them cannot
        be had, and `package.unreachable` with every package that cannot: what was asked for did not take place.
        """
        reports = self.judge("all")
        if self.without_tools:
            raise self.without_tools[0]
        silent = [report for report in reports if not report.real and not report.later]
        if any(not report.lost for report in silent):
            self._require_secrets()
        if silent:
            raise lost_error(silent, "do this on a machine that reaches it, or name a mirror that has it")
        return reports

    def mirror(self, folder: Path) -> list[KeptPackage]:
        """Write every package into a folder. Raises as `judge_all`; nothing is written then."""
        base, plan = self.loaded.path.absolute().parent, self.loaded.plan
        steps = {name: _to_be_mirrored(step, base) for name, step in plan.steps.items()}
        fresh = replace(self, loaded=replace(self.loaded, plan=replace(plan, steps=steps)))
        return fresh._keep(fresh.judge_all(), folder)

    def _keep(self, found: Sequence[PackageReport], folder: Path) -> list[KeptPackage]:
        if not found:
            return []
        with folder_errors("the folder for packages", folder):
            folder.mkdir(parents=True, exist_ok=True)
        tool, steps = self._tool(True), self.loaded.plan.steps
        judges = {report.stack: next(package_judges(steps[report.stack]))[0] for report in found}
        return [judges[one.stack].keep_package(one, folder, tool, self.world.environ) for one in found]

    def _require_secrets(self) -> None:
        """Raise `ConfigError` for each secret source of the blocks of packages that is not here."""
        readable, folder = set(_package_sources(self.loaded.plan)), self.loaded.path.absolute().parent
        used = [(source, at) for source, at in needed_secrets(self.loaded.plan) if source in readable]
        said = [(at, read_source(source, self.world, folder)) for source, at in used]
        problems = [
            Problem(self.loaded.where(at), dotted(at), *read, code="config.secret_missing")
            for at, read in said
            if not isinstance(read, str)
        ]
        if problems:
            raise ConfigError(problems=problems)

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
            try:
                return self.toolchain.ensure([name], self.say)[name]
            except OutsideError as error:
                self.without_tools.append(error)
                raise

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


def lost_error(reports: Sequence[PackageReport], hint: str) -> OutsideError:
    """Return the error that names each package of these reports and why it was not judged."""
    said = [f"{one.what} cannot be {'had' if one.lost else 'judged'}: {one.why}" for one in reports]
    if len(reports) == 1:
        return OutsideError(said[0], code="package.unreachable", where=reports[0].stack, hint=hint)
    message = "; ".join(f"{one.stack}: {text}" for one, text in zip(reports, said, strict=True))
    return OutsideError(message, code="package.unreachable", hint=hint)


def _to_be_mirrored(step: Step, base: Path) -> Step:
    for judge, _ in package_judges(step):
        step = judge.to_be_mirrored(step, base)
    return step


def _package_sources(plan: Plan) -> Iterator[SecretSource]:
    """Yield the secret sources in the blocks of domains, as the stacks that install packages take them."""
    for step in plan.steps.values():
        if any(package_judges(step)):
            inputs = as_tree(step.inputs)
            keys = [domain.block.key for domain in domains_of([step.kind]).values() if domain.block]
            parts = [inputs[key] for key in keys if isinstance(inputs, Mapping) and key in inputs]
            yield from (leaf for part in parts for _, leaf in leaves(part) if isinstance(leaf, SecretSource))
