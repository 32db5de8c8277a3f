"""A lab as its users see it: open it, find it, break it, stop it.

`Lab.find` reads one file and two of /proc, and imports nothing heavy; `Lab.open` starts what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiinfra.dataclass import dataclass
from aiinfra.disk import folder_errors
from aiinfra.errors import OutsideError
from aiinfra.lab.record import LabRecord

if TYPE_CHECKING:
    from aiinfra.domain_lab import SetFault
    from aiinfra.engine.wire import Tree
    from aiinfra.lab.record import Parts

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lab:
    """One environment's lab: a folder with the simulated world's processes, state and secrets."""

    folder: Path
    record: LabRecord
    discarded: str = ""
    """What `open` discarded of a dead lab, as a sentence; empty when there was nothing."""

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Return the lab in `folder`, alive or dead; None when there is none."""
        record = LabRecord.read(folder)
        return cls(folder, record) if record else None

    @classmethod
    def open(
        cls, folder: Path, specs: Mapping[str, Tree], binaries: Mapping[str, Path], on_progress: OnProgress
    ) -> Self:
        """Return a live lab that meets the specs of the domains, by their names (see `LabDomain.spec`).

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
            _ask(folder, {"verb": "ensure", "specs": specs, "binaries": _texts(binaries)}, on_progress)
        return cls(folder, _live_record(folder), discarded)

    @property
    def alive(self) -> bool:
        """Whether it can be used; a lab that is ending counts as dead, and another one is started after it."""
        return self.record.alive and not self.record.ending

    @property
    def generation(self) -> str:
        """Identity of the lab; another one means another world behind the same names."""
        return self.record.generation

    def end(self) -> str:
        """What happened to it, as the end of a sentence about the lab; empty while it lives."""
        now = LabRecord.read(self.folder)
        if now is None or now.generation != self.generation or now.ending:
            return "was stopped"
        return "" if now.alive else f"died ({now.death()})"

    def parts(self, domain: str) -> Parts:
        """The parts of a domain that answered when the record was read, by name."""
        return self.record.domains.get(domain, {})

    def provides(self, specs: Mapping[str, Tree]) -> bool:
        """Whether the lab meets the specs of the domains; if not, `open` changes it."""
        from aiinfra.lab.domains import lab_domains

        known = lab_domains()
        with folder_errors("the lab's folder", self.folder):
            return all(known[domain].provides(self.folder, tree) for domain, tree in specs.items())

    def make(
        self,
        domain: str,
        name: str,
        description: Tree,
        on_progress: OnProgress = lambda text: None,
        binaries: Mapping[str, Path] | None = None,
    ) -> Mapping[str, Any]:
        """Make or change one part of a domain while the lab runs; return what the lab records of it.

        Programs that `binaries` does not name are those that the lab was opened with. Raises `OutsideError`.
        """
        part = {"domain": domain, "name": name, "description": description}
        record: Mapping[str, Any] = _ask(
            self.folder, {"verb": "make", **part, "binaries": _texts(binaries or {})}, on_progress
        )
        return record

    def remove(self, domain: str, name: str) -> None:
        """Remove one part of a domain, its processes and files; nothing happens when there is none."""
        _ask(self.folder, {"verb": "remove", "domain": domain, "name": name}, lambda text: None)

    @property
    def state_url(self) -> str:
        return f"file://{self.folder / 'state'}"

    @property
    def passphrase(self) -> str:
        with folder_errors("the lab's folder", self.folder):
            return (self.folder / "passphrase").read_text()

    def faults(self) -> Sequence[SetFault]:
        from aiinfra.lab import faults

        return faults.read(self.folder)

    def set_fault(self, name: str, place: str = "") -> None:
        """Set a fault at one place, or everywhere when `place` is empty. Raises `ConfigError` for unknown names."""
        self._change_fault("fault", name, place)

    def lift_fault(self, name: str, place: str = "") -> None:
        """Lift a fault at one place, or everywhere when `place` is empty."""
        self._change_fault("lift", name, place)

    def status(self) -> Mapping[str, Any]:
        """Return the domains' records, processes and faults, as the supervisor knows them."""
        status: Mapping[str, Any] = _ask(self.folder, {"verb": "status"}, lambda text: None)
        return status

    def stop(self, on_progress: OnProgress = lambda text: None, unless: Callable[[], None] = lambda: None) -> None:
        """End the lab: no process of it and no file of it is left. `unless` may raise once nobody else opens it."""
        from aiinfra.lab.lifecycle import END_LIMIT, alone, end, refuse_other_machine, remove

        with alone(self.folder, on_progress):
            unless()
            record = LabRecord.read(self.folder) or self.record
            refuse_other_machine(self.folder, record)
            if record.alive:
                with suppress(OutsideError):
                    _ask(self.folder, {"verb": "stop"}, lambda text: None)
                end([record.supervisor], END_LIMIT)
            end([child.process for child in record.survivors()], patience=0)
            remove(self.folder)

    def discard(self, on_progress: OnProgress) -> None:
        """Remove a dead lab, its folder included, and say so; a live one is not touched."""
        from aiinfra.lab.lifecycle import alone, discard_dead, remove

        with alone(self.folder, on_progress):
            if discard_dead(self.folder, on_progress):
                remove(self.folder)

    @staticmethod
    def discard_remains(folder: Path, on_progress: OnProgress) -> bool:
        """Remove a folder in which a lab lost its record; return whether there was one."""
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
        from aiinfra.lab.faults import fault_type

        _ask(self.folder, {"verb": verb, "name": fault_type(name).name, "place": place}, lambda text: None)


def _texts(binaries: Mapping[str, Path]) -> Mapping[str, str]:
    return {name: str(path) for name, path in binaries.items()}


def _ask(folder: Path, request: Mapping[str, Any], on_progress: OnProgress) -> Any:
    from aiinfra.lab.control import ask

    return ask(folder, request, on_progress)


def _live_record(folder: Path) -> LabRecord:
    record = LabRecord.read(folder)
    if record is None or not record.alive:
        raise OutsideError("the lab ended while it was opened", code="lab.gone", where=str(folder), transient=True)
    return record
