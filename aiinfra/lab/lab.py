"""A lab as its users see it: open it, find it, break it, stop it.

`Lab.find` reads one file and two of /proc, and imports nothing heavy; `Lab.open` starts what is missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiinfra.disk import usable
from aiinfra.errors import OutsideError
from aiinfra.lab.record import LabRecord

if TYPE_CHECKING:
    from aiinfra.domains.vsphere.lab.account import VCenterAccount
    from aiinfra.lab.faults import Fault
    from aiinfra.model.lab import LabSpec

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lab:
    """One environment's lab: a folder with the simulated world's processes, state and secrets."""

    folder: Path
    record: LabRecord
    discarded: str = ""
    """What `open` found dead and discarded, as a sentence; empty when there was nothing."""

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """The lab in `folder`, alive or dead; None when there is none."""
        record = LabRecord.read(folder)
        return cls(folder, record) if record else None

    @classmethod
    def open(
        cls,
        folder: Path,
        spec: LabSpec,
        cluster_names: Sequence[str],
        binaries: Mapping[str, Path],
        on_progress: OnProgress,
        *,
        vcenter: bool = False,
    ) -> Self:
        """A live lab with these clusters, as `spec` describes them (with its defaults where it does not).

        `vcenter` asks for a vCenter too.

        A live lab is used again; a dead one is discarded whole first. Two at once give one lab.
        Raises `OutsideError` when it cannot be started.
        """
        from aiinfra.lab.lifecycle import alone, clear, discard_dead, start

        with alone(folder, on_progress):
            discarded = discard_dead(folder, on_progress)
            if not LabRecord.read(folder):
                clear(folder)
                start(folder)
                on_progress("lab: supervisor started")
            wanted = {name: _described(spec, name) for name in cluster_names}
            texts = {name: str(path) for name, path in binaries.items()}
            asked = {"verb": "ensure", "clusters": wanted, "binaries": texts}
            _ask(folder, {**asked, "vcenter": _vcenter(folder, spec) if vcenter else None}, on_progress)
        return cls(folder, _live_record(folder), discarded)

    @property
    def alive(self) -> bool:
        """One that ends is as good as dead: who needs a lab waits for its end and starts another."""
        return self.record.alive and not self.record.ending

    @property
    def generation(self) -> str:
        """Another one means another world behind the same names."""
        return self.record.generation

    def end(self) -> str:
        """What became of it, as the end of `the lab …`; empty while it lives."""
        now = LabRecord.read(self.folder)
        if now is None or now.generation != self.generation or now.ending:
            return "was stopped"
        return "" if now.alive else f"died ({now.death()})"

    def clusters(self) -> Sequence[str]:
        """Names of the clusters that answer."""
        return tuple(self.record.clusters)

    def provides(self, spec: LabSpec, cluster_names: Sequence[str], *, vcenter: bool = False) -> bool:
        """Whether it has all these clusters, and a vCenter, as `spec` describes them; if not, `open` changes it."""
        from aiinfra.domains.kubernetes.lab.cluster_files import SPEC, cluster_home

        def same(name: str) -> bool:
            path = cluster_home(self.folder, name) / SPEC
            return name in self.record.clusters and json.loads(path.read_text()) == _described(spec, name)

        with usable("the lab's folder", self.folder):
            return all(map(same, cluster_names)) and (not vcenter or _has_vcenter(self.folder, spec))

    def vcenter(self) -> VCenterAccount | None:
        """How its vCenter is reached; None when it has none. Secret."""
        from aiinfra.domains.vsphere.lab.account import VCenterAccount

        with usable("the lab's folder", self.folder):
            return VCenterAccount.read(self.folder)

    @property
    def state_url(self) -> str:
        return f"file://{self.folder / 'state'}"

    @property
    def passphrase(self) -> str:
        with usable("the lab's folder", self.folder):
            return (self.folder / "passphrase").read_text()

    def kubeconfig(self, cluster: str) -> str:
        """Access to a cluster as its administrator; secret. Raises `OutsideError` `lab.no_cluster`."""
        from aiinfra.domains.kubernetes.lab.cluster_files import HANDED_OUT, cluster_home

        if cluster not in self.record.clusters:
            hint = f"it has: {', '.join(sorted(self.clusters())) or 'none'}"
            raise OutsideError(f"the lab has no cluster {cluster!r}", code="lab.no_cluster", where=cluster, hint=hint)
        with usable("the lab's folder", self.folder):
            return (cluster_home(self.folder, cluster) / HANDED_OUT).read_text()

    def faults(self) -> Sequence[Fault]:
        from aiinfra.lab import faults

        return faults.read(self.folder)

    def set_fault(self, name: str, place: str = "") -> None:
        """Break something, at a cluster or stack or (empty) everywhere. Raises `ConfigError` for an unknown name."""
        self._change_fault("fault", name, place)

    def lift_fault(self, name: str, place: str = "") -> None:
        """Mend it, at one place or (empty) everywhere."""
        self._change_fault("lift", name, place)

    def status(self) -> Mapping[str, Any]:
        """Clusters, processes and faults, as the supervisor knows them."""
        status: Mapping[str, Any] = _ask(self.folder, {"verb": "status"}, lambda text: None)
        return status

    def stop(self, on_progress: OnProgress = lambda text: None, unless: Callable[[], None] = lambda: None) -> None:
        """End the lab: no process of it and no file of it is left. `unless` may raise once nobody else opens it."""
        from aiinfra.lab.lifecycle import END_LIMIT, alone, end, refuse_foreign, remove

        with alone(self.folder, on_progress):
            unless()
            record = LabRecord.read(self.folder) or self.record
            refuse_foreign(self.folder, record)
            if record.alive:
                with suppress(OutsideError):
                    _ask(self.folder, {"verb": "stop"}, lambda text: None)
                end([record.supervisor], END_LIMIT)
            end([child.process for child in record.survivors()], patience=0)
            remove(self.folder)

    def discard(self, on_progress: OnProgress) -> None:
        """Remove a dead lab, its folder included, and say so; a live one is left alone."""
        from aiinfra.lab.lifecycle import alone, discard_dead, remove

        with alone(self.folder, on_progress):
            if discard_dead(self.folder, on_progress):
                remove(self.folder)

    @staticmethod
    def discard_remains(folder: Path, on_progress: OnProgress) -> bool:
        """Remove a folder in which a lab lost its record; whether there was one."""
        from aiinfra.lab.lifecycle import alone, clear, remove

        if not os.path.lexists(folder):
            return False
        with alone(folder, on_progress):
            if LabRecord.read(folder):
                return False
            clear(folder)
            remove(folder)
        on_progress(f"removed what a lab that had lost its record left in {folder}")
        return True

    def _change_fault(self, verb: str, name: str, place: str) -> None:
        from aiinfra.lab.faults import check_name

        _ask(self.folder, {"verb": verb, "name": check_name(name), "place": place}, lambda text: None)


def _described(spec: LabSpec, name: str) -> Mapping[str, Any]:
    from aiinfra.model.lab import LabCluster

    return (spec.clusters.get(name) or LabCluster()).model_dump()


def _has_vcenter(folder: Path, spec: LabSpec) -> bool:
    from aiinfra.domains.vsphere.lab.account import described

    return described(folder) == _wanted_vcenter(spec)


def _vcenter(folder: Path, spec: LabSpec) -> Mapping[str, Any]:
    """Raises `OutsideError` when the lab's vCenter was told to be another: what is in it would be lost."""
    from aiinfra.domains.vsphere.lab.account import described

    if described(folder) is not None and not _has_vcenter(folder, spec):
        raise OutsideError(
            "the lab's vCenter was started with another description of lab.vcenter",
            code="lab.vcenter_changed",
            where="lab.vcenter",
            hint="destroy the environment, or `aiinfra lab stop` it, then run again",
        )
    return _wanted_vcenter(spec)


def _wanted_vcenter(spec: LabSpec) -> Mapping[str, Any]:
    """As JSON has it; its account is made when it starts."""
    from aiinfra.domains.vsphere.lab.block import LabVCenter
    from aiinfra.domains.vsphere.lab.description import vcenter_description

    described = spec.vcenter or LabVCenter()
    wanted: Mapping[str, Any] = json.loads(json.dumps(vcenter_description(described, user="", password="")))
    return wanted


def _ask(folder: Path, request: Mapping[str, Any], on_progress: OnProgress) -> Any:
    from aiinfra.lab.control import ask

    return ask(folder, request, on_progress)


def _live_record(folder: Path) -> LabRecord:
    record = LabRecord.read(folder)
    if record is None or not record.alive:
        raise OutsideError("the lab ended while it was opened", code="lab.gone", where=str(folder), transient=True)
    return record
