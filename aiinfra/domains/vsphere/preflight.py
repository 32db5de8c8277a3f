"""Before any step: what the vCenters of the stacks that will run tell, judged by their kinds.

Stacks of one account share one session and one reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiinfra.domains.vsphere.access import Access
from aiinfra.domains.vsphere.block import FIELD
from aiinfra.domains.vsphere.provider.vcenters import access_of
from aiinfra.domains.vsphere.readings import Site, SiteWanted
from aiinfra.engine.wire import Secret, Unknown, reveal
from aiinfra.errors import AiinfraError, ErrorRecord, OutsideError
from aiinfra.plan.planner import Step
from aiinfra.session.work import Turn
from aiinfra.stack import Finding, Preflight, SecretSource

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.session import VCenter

Prepare = Callable[["VCenter"], None]


@dataclass(frozen=True, slots=True)
class Judged:
    stack: str
    finding: Finding


class NotReady(OutsideError):
    """Preflights found what makes a run pointless: one record each."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self._records = [_record(one) for one in judged]
        first = self._records[0]
        super().__init__(first.message, code=first.code, where=first.where, hint=first.hint)

    def records(self) -> Sequence[ErrorRecord]:
        return self._records


def judged(turn: Turn, steps: Sequence[Step], prepare: Prepare = lambda vcenter: None) -> list[Judged]:
    """Every finding of these stacks; a vCenter that does not answer is one of each stack that works there.

    `prepare` is done in each vCenter before it is read.
    """
    return [one for access, its in by_access(turn, steps).items() for one in _at(turn, access, its, prepare)]


def require(turn: Turn, steps: Sequence[Step], say: Callable[[str], None]) -> None:
    """Say what is not well with those that will run, and raise `NotReady` when it is an error.

    GPUs that a run which died still holds for its proofs are free before they are counted.
    """

    def clear(vcenter: VCenter) -> None:
        from aiinfra.domains.vsphere.removal import remove_proofs

        remove_proofs(vcenter.heard_by(turn.stop, say), turn.environment_id, turn.engine.place.sweeping)

    found = judged(turn, steps, clear)
    if errors := [one for one in found if one.finding.level == "error"]:
        raise NotReady(errors)
    doubtful = Counter(one.stack for one in found if one.finding.level != "ok" and not one.finding.lasting)
    for stack, number in doubtful.items():
        doubts = f"{number} doubts" if number > 1 else "a doubt"
        say(f"{stack}: {doubts} about its vCenter, none that stops it: aiinfra doctor shows more")


def by_access(turn: Turn, steps: Sequence[Step]) -> Mapping[Access, list[Step]]:
    """Stacks by the account on a vCenter that they use, as far as it is known."""
    found: dict[Access, list[Step]] = {}
    for step in steps:
        if isinstance(step.kind.checks, Preflight) and (access := _access(turn, step)):
            found.setdefault(access, []).append(step)
    return found


def _access(turn: Turn, step: Step) -> Access | None:
    """None while another stack gives a part of it, or while a lab does not run."""
    spec = getattr(step.inputs, FIELD)
    fields = {name: _opened(turn, getattr(spec, name)) for name in type(spec).model_fields}
    return None if any(isinstance(value, Unknown) for value in fields.values()) else access_of(fields)


def _opened(turn: Turn, value: Any) -> Any:
    if isinstance(value, SecretSource):
        told = turn.secret(value)
        value = told.value if isinstance(told, Secret) else told
        return value if isinstance(value, Unknown) else reveal(told)
    return value if isinstance(value, str | int | bool) else Unknown()


def _at(turn: Turn, access: Access, steps: Sequence[Step], prepare: Prepare) -> Iterator[Judged]:
    try:
        sites = _read(turn, access, [step.kind.checks.questions(step.inputs)["vsphere"] for step in steps], prepare)  # type: ignore[attr-defined]
    except AiinfraError as error:
        record = error.record
        about = record.where or str(access)
        read = record.message.removeprefix(f"{about} ")
        finding = Finding("error", about, read, "an answer", record.hint, code=record.code)
        yield from (Judged(step.name, finding) for step in steps)
        return
    for step, its in zip(steps, sites, strict=True):
        assert isinstance(step.kind.checks, Preflight)
        yield from (Judged(step.name, each) for each in step.kind.checks.preflight(step.inputs, {"vsphere": its}))


def _read(turn: Turn, access: Access, wanted: Sequence[Sequence[SiteWanted]], prepare: Prepare) -> list[list[Site]]:
    from aiinfra.domains.vsphere.reading import read_sites
    from aiinfra.domains.vsphere.session import VCenter

    with VCenter.open(access, stop=turn.stop, say=lambda what: None) as vcenter:
        prepare(vcenter)
        told = iter(read_sites(vcenter, [site for one in wanted for site in one]))
    return [[next(told) for _ in one] for one in wanted]


def _record(one: Judged) -> ErrorRecord:
    finding = one.finding
    message = f"{finding.about}: {finding.read}; needed: {finding.needed}"
    return ErrorRecord(finding.code, one.stack, message, finding.hint)
