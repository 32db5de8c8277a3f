"""What the vSphere domain does for a run. Imports no pyVmomi until a vCenter is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiinfra.domain_run import Comparison, DestroyRequest, Observation, RunContext, SweepReport, Teardown
from aiinfra.domains.vsphere.client.access import Access, access_of
from aiinfra.engine.wire import Secret, Unknown, reveal
from aiinfra.errors import AiinfraError, ErrorRecord, LeftBehind
from aiinfra.plan.planner import Step
from aiinfra.stack import Finding, SecretSource, StackName

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.reading.observed import Site, SiteQuestion
    from aiinfra.domains.vsphere.template.removal import Swept

NAME = "vsphere"
BLOCK = "vcenter"
"""The input by which a kind says which vCenter it works in."""
HINT = "look at it in vCenter; then run destroy again"


class VSphereWorld:
    """vCenters as a run uses them. Stacks of one account share one session and one reading."""

    def observe(
        self, run: RunContext, questions: Mapping[StackName, Any], *, before_run: bool
    ) -> Mapping[StackName, Observation]:
        """Read sites: a question is a sequence of `SiteQuestion`, its facts are the `Site`s in the same order.

        Before a run, GPUs that an interrupted run still holds for its proofs are released, so that they count as free.
        """
        found: dict[StackName, Observation] = {}
        for access, steps in by_access(run, [run.plan.steps[name] for name in questions]).items():
            asked = [questions[step.name] for step in steps]
            observed = _observed(run, access, asked, before_run=before_run)
            found.update(zip((step.name for step in steps), observed, strict=True))
        return found

    def snapshot(self, run: RunContext, step: Step) -> Mapping[str, str]:
        from aiinfra.domains.vsphere.snapshots import snapshot

        access = next(iter(by_access(run, [step])), None)
        return snapshot(run, step, access) if access else {}

    def changes(self, run: RunContext, snapshots: Mapping[StackName, Mapping[str, str]]) -> Comparison:
        from aiinfra.domains.vsphere.snapshots import changes

        steps = [run.plan.steps[stack] for stack in snapshots]
        accounts = by_access(run, steps).items()
        return changes(run, {access: {step.name: snapshots[step.name] for step in its} for access, its in accounts})

    def teardown(self, run: RunContext, request: DestroyRequest) -> Teardown:
        return _VCenterTeardown(run)


def by_access(run: RunContext, steps: Sequence[Step]) -> Mapping[Access, list[Step]]:
    """Return the steps by the account on a vCenter that they use, as far as it is known."""
    found: dict[Access, list[Step]] = {}
    for step in steps:
        if BLOCK in step.kind.connection and (access := _access(run, step)):
            found.setdefault(access, []).append(step)
    return found


def _access(run: RunContext, step: Step) -> Access | None:
    """Return the account of a step; None while another stack gives a part of it, or while a lab does not run."""
    spec = getattr(step.inputs, BLOCK)
    fields = {name: _resolved(run, getattr(spec, name)) for name in type(spec).model_fields}
    return None if any(isinstance(value, Unknown) for value in fields.values()) else access_of(fields)


def _resolved(run: RunContext, value: Any) -> Any:
    if isinstance(value, SecretSource):
        opened = run.open_secret(value)
        inner = opened.value if isinstance(opened, Secret) else opened
        return inner if isinstance(inner, Unknown) else reveal(inner)
    return value if isinstance(value, str | int | bool) else Unknown()


def _observed(
    run: RunContext, access: Access, questions: Sequence[Sequence[SiteQuestion]], *, before_run: bool
) -> list[Observation]:
    try:
        return [Observation(sites) for sites in _read(run, access, questions, before_run=before_run)]
    except AiinfraError as error:
        record = error.record
        about = record.where or str(access)
        read = record.message.removeprefix(f"{about} ")
        finding = Finding("error", about, read, "an answer", record.hint, code=record.code)
        return [Observation(findings=(finding,)) for _ in questions]


def _read(
    run: RunContext, access: Access, questions: Sequence[Sequence[SiteQuestion]], *, before_run: bool
) -> Iterator[Sequence[Site]]:
    from aiinfra.domains.vsphere.client.session import VCenter
    from aiinfra.domains.vsphere.reading.sites import read_sites
    from aiinfra.domains.vsphere.template.removal import remove_proofs

    with VCenter.open(access, stop=run.stop, say=lambda what: None) as vcenter:
        if before_run:
            remove_proofs(vcenter.reporting_to(run.stop, run.say), run.environment_id, run.sweep_seconds)
        sites = iter(read_sites(vcenter, [site for question in questions for site in question]))
    for question in questions:
        yield [next(sites) for _ in question]


class _VCenterTeardown:
    """The part of the vCenters in a destroy: nothing can be forgotten, all are swept."""

    forgettable: Sequence[str] = ()

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._accesses = list(by_access(run, list(run.plan.steps.values())))

    def forgotten(self) -> Mapping[str, str]:
        return {}

    def prepare(self) -> Sequence[str]:
        return ()

    def sweep(self) -> SweepReport:
        """Sweep every vCenter that the file names."""
        looked: list[str] = []
        left: list[ErrorRecord] = []
        for access in self._accesses:
            if not self._run.environment_id:
                looked.append(f"vCenter {access} (its objects named {self._run.plan.environment.name})")
                left += self._namesakes(access)
                continue
            try:
                swept = self._swept(access)
            except AiinfraError as error:
                left.append(_not_asked(access, error))
                continue
            looked.append(self._sentence(access, swept))
            left += [ErrorRecord(LeftBehind.default_code, str(access), str(kept), HINT) for kept in swept.left]
        return SweepReport(tuple(looked), tuple(left))

    def _swept(self, access: Access) -> Swept:
        from aiinfra.domains.vsphere.client.session import VCenter
        from aiinfra.domains.vsphere.template.removal import sweep

        run = self._run
        with VCenter.open(access, stop=run.stop, say=run.say) as vcenter:
            return sweep(vcenter, run.environment_id, run.sweep_seconds)

    def _sentence(self, access: Access, swept: Swept) -> str:
        count = f"{len(swept.left)} objects marked {self._run.environment_id}"
        removed = f"; {len(swept.removed)} swept" if swept.removed else ""
        return f"vCenter {access} ({count}{removed})"

    def _namesakes(self, access: Access) -> Iterator[ErrorRecord]:
        """Yield what carries the name of an environment whose id is lost; it may be a namesake's, and is kept."""
        from aiinfra.domains.vsphere.client.session import VCenter
        from aiinfra.domains.vsphere.reading.inventory import namesakes

        environment = self._run.plan.environment.name
        with VCenter.open(access, stop=self._run.stop, say=lambda what: None) as vcenter:
            found = namesakes(vcenter, environment)
        for id, paths in found.items():
            message = f"{', '.join(paths)} carry the name {environment} and the id {id}"
            hint = f"if they are this environment's: aiinfra destroy {environment} --environment-id {id}"
            yield ErrorRecord(LeftBehind.default_code, str(access), message, hint)


def _not_asked(access: Access, error: AiinfraError) -> ErrorRecord:
    message = f"vCenter {access} could not be asked what is left: {error.record.message}"
    return ErrorRecord(LeftBehind.default_code, str(access), message, error.record.hint, transient=True)


WORLD = VSphereWorld()
