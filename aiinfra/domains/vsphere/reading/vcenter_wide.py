"""Facts of a vCenter as a whole: licences, settings, sources of templates, privileges of the account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.errors import LoginRefused, Unreachable, VSphereError
from aiinfra.domains.vsphere.client.properties import collect
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.reading import inventory
from aiinfra.domains.vsphere.reading.datastore_and_source import SOURCE_PATHS, source
from aiinfra.domains.vsphere.reading.observed import NeededPrivilege, Source

T = TypeVar("T")
SETTINGS: Final = ("vgpu.hotmigrate.enabled",)


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A fact, or the reason why it could not be read."""

    value: T | None = None
    why: str = ""


def fact_or_reason(question: Callable[[], T]) -> Fact[T]:
    """Return the fact, or the reason for a refusal. Raises `Unreachable`, `LoginRefused`, `Stopped`."""
    try:
        return Fact(question())
    except (Unreachable, LoginRefused):
        raise
    except VSphereError as error:
        return Fact(None, error.record.message)


def licences(manager: Any) -> Mapping[str, str]:
    """Return the names of licences, by moref of the entity that each is assigned to."""
    assigned = manager.QueryAssignedLicenses() if manager is not None else ()
    return {each.entityId: each.assignedLicense.name for each in assigned or ()}


def settings(vcenter: VCenter) -> Mapping[str, str]:
    """Return the values of `SETTINGS` that are set; a vCenter refuses the question for one that is not."""
    found: dict[str, str] = {}
    for name in SETTINGS:
        try:
            options = vcenter.content.setting.QueryOptions(name)
        except VSphereError as error:
            if error.fault != "InvalidName":
                raise
        else:
            found |= {option.key: str(option.value) for option in options if option.key == name}
    return found


def sources(vcenter: VCenter, paths: Iterable[str]) -> Mapping[str, Fact[Source]]:
    """Return the VMs and templates at these inventory paths, by path."""
    found = {path: inventory.find(vcenter, path) for path in sorted(set(paths) - {""})}
    vms = {obj._moId: path for path, obj in found.items() if obj is not None and type(obj).__name__ == _VM}
    rows = collect(vcenter, "VirtualMachine", SOURCE_PATHS, [found[path] for path in vms.values()])
    read = {vms[row.moref]: Fact(source(row, vms[row.moref])) for row in rows}
    return {path: read.get(path) or Fact(None, _why_no_source(path, obj)) for path, obj in found.items()}


def _why_no_source(path: str, found: Any) -> str:
    return f"{path} does not exist" if found is None or type(found).__name__ == _VM else f"{path} is no VM"


def granted(
    vcenter: VCenter, needs: Sequence[NeededPrivilege], objects: Mapping[str, Any]
) -> Mapping[str, frozenset[str]]:
    """Return the privileges of the session, by moref of each object."""
    names = sorted({need.privilege for need in needs})
    if not names:
        return {}
    manager, entities = vcenter.content.authorizationManager, [objects[moref] for moref in sorted(objects)]
    answers = manager.HasPrivilegeOnEntities(entities, vcenter.session_key, names)
    return {
        answer.entity._moId: frozenset(each.privId for each in answer.privAvailability if each.isGranted)
        for answer in answers
    }


_VM: Final = "vim.VirtualMachine"
