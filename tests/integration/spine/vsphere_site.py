"""Environments with GPU templates in the lab's vCenter, and what that vCenter holds: it is asked, not the state."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyVmomi import vim

from aiinfra.domains.vsphere.client.access import Access
from aiinfra.domains.vsphere.client.properties import one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.lab.account import VCenterAccount
from aiinfra.domains.vsphere.reading.inventory import walk
from aiinfra.domains.vsphere.template.config_spec import READ_BACK, settings_of
from aiinfra.lab.lab import Lab
from tests.integration.spine.site import Site

PLACE = {"datacenter": "dc1", "cluster": "gpu", "datastore": "ssd", "folder": "templates"}
VGPU = {"mode": "vgpu", "model": "A100-PCIe-40GB", "memory": "20GiB"}
HOSTS = {
    "a100": {"count": 1, "cards": [{"model": "A100-PCIe-40GB", "count": 2}]},
    "mig": {"count": 1, "cards": [{"model": "A100-PCIe-40GB", "count": 2, "mig": True}]},
    "l40s": {"count": 1, "cards": [{"model": "L40S", "count": 2, "mode": "passthrough", "label": "gpu-l40s"}]},
}


def template(gpu: Mapping[str, Any] = VGPU, **changes: Any) -> dict[str, Any]:
    own = {"kind": "vsphere_gpu_template", "source": "templates/rhcos", "place": PLACE, "gpu": dict(gpu)}
    return {**own, **changes}


def lab_of(delays: Mapping[str, int] | None = None, hosts: Mapping[str, Any] = HOSTS) -> dict[str, Any]:
    vcenter = {"datacenters": {"dc1": {"clusters": {"gpu": {"hosts": hosts}}}}}
    return {"vcenter": {**vcenter, **({"delays": dict(delays)} if delays else {})}}


def write(site: Site, stacks: Mapping[str, Any], **lab: Any) -> None:
    site.write(stacks, target="lab", lab=lab_of(**lab))


def lab_folder_of(site: Site) -> Path:
    return next((site.folder / "home" / ".local" / "state" / "aiinfra" / "labs").iterdir())


@contextmanager
def vcenter_of(site: Site) -> Iterator[VCenter]:
    lab = Lab.find(lab_folder_of(site))
    assert lab is not None
    account = VCenterAccount.read(lab.folder)
    assert account is not None
    access = Access("127.0.0.1", account.user, account.password, account.port, fingerprint=account.fingerprint)
    with VCenter.open(access, stop=threading.Event(), say=lambda what: None) as vcenter:
        yield vcenter


def inventory(site: Site) -> Sequence[str]:
    """Every VM and template of the vCenter by path; templates say so."""
    with vcenter_of(site) as vcenter:
        vms = walk(vcenter, {"VirtualMachine": ["config.template", "runtime.powerState"]})["VirtualMachine"]
        return sorted(f"{vm.path}{_is(vm.row)}" for vm in vms)


def _is(row: Any) -> str:
    on = " runs" if row.get("runtime.powerState") == "poweredOn" else ""
    return f"{on} (template)" if row.get("config.template") else on


def vm_at(vcenter: VCenter, path: str) -> Any:
    found = vcenter.content.searchIndex.FindByInventoryPath(path)
    assert found is not None, path
    return found


def settings(site: Site, stack: str) -> list[Mapping[str, Any]]:
    """What stands of a stack's templates."""
    paths = [path.removesuffix(" (template)") for path in inventory(site) if f"/vs-{stack}-" in path]
    with vcenter_of(site) as vcenter:
        rows = [one(vcenter, vm_at(vcenter, path), READ_BACK) for path in paths]
    return [settings_of(row.values) for row in rows if row]


def told(vcenter: VCenter, path: str, prop: str) -> Any:
    """A property of the object at this inventory path."""
    row = one(vcenter, vm_at(vcenter, path), [prop])
    assert row is not None
    return row.get(prop)


def pool(vcenter: VCenter) -> Any:
    return told(vcenter, "/dc1/host/gpu", "resourcePool")


def clone(vcenter: VCenter, source: str, folder: str, name: str, *, linked: bool = False) -> None:
    """A clone as others make one: of all that the source has, its marks among it."""
    where = vim.vm.RelocateSpec(pool=pool(vcenter))
    if linked:
        where.diskMoveType = "createNewChildDiskBacking"
    spec = vim.vm.CloneSpec(location=where, powerOn=False, template=False)
    if linked:
        spec.snapshot = told(vcenter, source, "snapshot").currentSnapshot
    finish(vcenter, vm_at(vcenter, source).CloneVM_Task(vm_at(vcenter, folder), name, spec), "cloning", name)
