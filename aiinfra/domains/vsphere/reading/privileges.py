"""The privileges that an account needs for GPU templates, and those of them that it lacks. Pure.

Source: the "Required Privileges" of `CloneVM_Task`, `ReconfigVM_Task`, `UpgradeVM_Task`, `MarkAsTemplate`,
`MarkAsVirtualMachine`, `Destroy_Task`, `PowerOnMultiVM_Task` and `ImportVApp` in the vSphere Web Services API 8.0.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiinfra.domains.vsphere.reading.observed import MissingPrivilege, NeededPrivilege, Role, SiteQuestion
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, Ova

DEPLOY: Final = "VirtualMachine.Provisioning.DeployTemplate"
CLONE: Final = "VirtualMachine.Provisioning.Clone"

_CLONING: Final = (
    NeededPrivilege(DEPLOY, "source", "cloning a template"),
    NeededPrivilege(CLONE, "source", "cloning a VM"),
    NeededPrivilege("VirtualMachine.Inventory.CreateFromExisting", "folder", "cloning into the folder"),
)
_IMPORTING: Final = (
    NeededPrivilege("VApp.Import", "resource_pool", "importing the image"),
    NeededPrivilege("VirtualMachine.Inventory.Create", "folder", "importing the image"),
    NeededPrivilege("VirtualMachine.Config.AddNewDisk", "folder", "importing the image"),
)
_MAKING: Final = (
    NeededPrivilege("Datastore.AllocateSpace", "datastore", "the template's disk"),
    NeededPrivilege("Resource.AssignVMToPool", "resource_pool", "placing the clone"),
    NeededPrivilege("VirtualMachine.Config.AddRemoveDevice", "folder", "its GPU devices"),
    NeededPrivilege("VirtualMachine.Config.AdvancedConfig", "folder", "its MMIO settings and our mark"),
    NeededPrivilege("VirtualMachine.Config.Annotation", "folder", "its note"),
    NeededPrivilege("VirtualMachine.Config.CPUCount", "folder", "its processors"),
    NeededPrivilege("VirtualMachine.Config.Memory", "folder", "its memory"),
    NeededPrivilege("VirtualMachine.Config.Resource", "folder", "reserving all of its memory"),
    NeededPrivilege("VirtualMachine.Config.Settings", "folder", "its firmware and boot options"),
    NeededPrivilege("VirtualMachine.Config.UpgradeVirtualHardware", "folder", "its hardware version"),
    NeededPrivilege("VirtualMachine.Provisioning.MarkAsTemplate", "folder", "making it a template"),
    NeededPrivilege("VirtualMachine.Provisioning.MarkAsVM", "folder", "repairing a template"),
    NeededPrivilege("VirtualMachine.Inventory.Delete", "folder", "removing it"),
)
_POWERING: Final = (
    NeededPrivilege("VirtualMachine.Interact.PowerOn", "folder", "the proof by power-on"),
    NeededPrivilege("VirtualMachine.Interact.PowerOff", "folder", "the proof by power-on"),
)


def needed(*, imported: bool = False, power_on: bool = False) -> Sequence[NeededPrivilege]:
    """Return the privileges for a template of a source that exists or is `imported`, with a proof by `power_on`."""
    return (*(_IMPORTING if imported else _CLONING), *_MAKING, *(_POWERING if power_on else ()))


def site_question(spec: GpuTemplateSpec) -> SiteQuestion:
    """Return which site to read for a template."""
    imported, place = isinstance(spec.source, Ova), spec.place
    return SiteQuestion(
        datacenter=place.datacenter,
        cluster=place.cluster,
        datastore=place.datastore,
        folder=place.folder,
        source=spec.source_path,
        resource_pool=place.resource_pool,
        privileges=needed(imported=imported, power_on=spec.power_on),
    )


def missing(
    needs: Sequence[NeededPrivilege],
    places: Mapping[Role, tuple[str, str]],
    granted: Mapping[str, frozenset[str]],
    *,
    from_template: bool,
) -> Iterator[MissingPrivilege]:
    """Yield the privileges that are needed and not granted.

    `places` has path and moref by role, `granted` the privileges of the account by moref.
    """
    spared = CLONE if from_template else DEPLOY
    for need in needs:
        path, moref = places.get(need.on, ("", ""))
        if need.privilege != spared and moref in granted and need.privilege not in granted[moref]:
            yield MissingPrivilege(need.privilege, path, need.needed_for)
