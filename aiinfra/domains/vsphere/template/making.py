"""Makes one GPU VM template, or continues an interrupted run: the world is read before anything is made.

Clone, powered off and marked → hardware version → all settings in one call → read back and compared → template. The
settings are those of `content.TemplateContent`; a real vCenter keeps them on clones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from pyVmomi import vim

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.errors import Exists, VSphereError
from aiinfra.domains.vsphere.client.properties import Row, one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.marks import (
    CLONED,
    CONFIGURED,
    MARK_DOMAIN,
    MARK_INSTANCE,
    MARK_NAME,
    MARK_SOURCE,
    MARK_SPEC,
    MARK_STEP,
    Owner,
)
from aiinfra.domains.vsphere.reading.inventory import MarkedVm, marked, path_of
from aiinfra.domains.vsphere.template.config_spec import DEVICE_GROUPS, READ_BACK, configuring, marking, settings_of
from aiinfra.domains.vsphere.template.content import (
    HARDWARE_VERSION,
    TEMPLATE,
    Difference,
    TemplateContent,
    Value,
    differences,
)
from aiinfra.domains.vsphere.template.removal import await_tasks, linked_clones, remove
from aiinfra.errors import StepError
from aiinfra.stack import MARK_STACK

GROUPS_API: Final = "8.0"
DYNAMIC_API: Final = "7.0"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made, where, and of what."""

    owner: Owner
    content: TemplateContent
    datacenter: str
    """Inventory path."""
    folder: Any = field(repr=False)
    """`vim.Folder`."""
    pool: Any = field(repr=False)
    """`vim.ResourcePool`."""
    datastore: Any = field(repr=False)
    """`vim.Datastore`."""
    source: Any = field(repr=False)
    """`vim.VirtualMachine`."""
    limit: float
    """Seconds for each task."""

    @property
    def name(self) -> str:
        return self.content.name(self.owner)

    @property
    def path(self) -> str:
        return f"{self.content.placement.folder}/{self.name}"

    def marks(self, step: str, name: str = "") -> dict[str, str]:
        """Return the marks of a VM of this name; without a name, of the template."""
        image = {MARK_SOURCE: self.content.source} if self.content.image else {}
        about = {MARK_DOMAIN: self.content.placement.failure_domain, MARK_SPEC: self.content.digest, **image}
        return {**about, MARK_STEP: step, MARK_NAME: name or self.name}


@dataclass(frozen=True, slots=True)
class ExistingTemplate:
    """A template as it was read back."""

    moref: str
    path: str
    name: str
    settings: Mapping[str, Value]


def make(vcenter: VCenter, order: Order, kept: Collection[str] = ()) -> ExistingTemplate:
    """Make the template of `order`, or mend the one that exists.

    Whatever else of ours exists for this stack and failure domain was left by an interrupted run and is removed, but
    for the morefs `kept`. Raises `VSphereError`, `StepError` for settings that vCenter did not keep, `Stopped`.
    """
    ours = _vms_of_order(vcenter, order)
    existing = next((vm for vm in ours if vm.marks.get(MARK_SPEC) == order.content.digest and not vm.is_proof), None)
    clear(vcenter, order, [*kept, *([existing.moref] if existing else [])])
    vm = (existing and _complete_vm(vcenter, order, existing)) or _new_clone(vcenter, order)
    return mend(vcenter, order, vm)


def clear(vcenter: VCenter, order: Order, kept: Collection[str], *, replaced: bool = True) -> None:
    """Remove what interrupted runs left of this stack and failure domain, but for the morefs `kept`.

    Without `replaced`, what has another content is kept as well, unless it is a proof.
    """
    for left in _vms_of_order(vcenter, order):
        alike = left.is_proof or left.marks.get(MARK_SPEC) == order.content.digest
        if left.moref not in kept and (alike or replaced):
            vcenter.say(f"removing {left.path}, which an earlier run left")
            if retained := remove(vcenter, left, order.limit):
                vcenter.say(str(retained))


def mend(vcenter: VCenter, order: Order, vm: Any) -> ExistingTemplate:
    """Give a VM or template of ours every setting that it lacks, and make it a template."""
    row = _read(vcenter, order, vm)
    now = _existing(vcenter, row)
    lacking = _missing_settings(order, now)
    if not lacking:
        return now
    if row.get("runtime.powerState") not in (None, "poweredOff"):
        message = f"{now.path} is a VM that runs, and a template cannot"
        raise StepError(message, code="vsphere.running", hint="shut it down in vCenter, then run again")
    if row.get("config.template"):
        vcenter.say(f"mending {order.name}: {'; '.join(map(str, lacking))}")
        vm.MarkAsVirtualMachine(order.pool)
    if any(each.field != TEMPLATE for each in lacking):
        _restore_place_and_name(vcenter, order, vm, now)
        _configure(vcenter, order, vm, row)
        now = _verified_settings(vcenter, order, vm)
    _mark_as_template(vcenter, vm, now.path)
    return replace(now, settings={**now.settings, TEMPLATE: True})


def _verified_settings(vcenter: VCenter, order: Order, vm: Any) -> ExistingTemplate:
    """Return the template as it is read back. Raises `StepError` when vCenter did not keep what was set."""
    now = _existing(vcenter, _read(vcenter, order, vm))
    if lacking := [each for each in _missing_settings(order, now) if each.field != TEMPLATE]:
        shown = "; ".join(map(str, lacking))
        message = f"vCenter did not keep what was set on {order.name}: {shown}"
        raise StepError(message, code="vsphere.not_kept", hint="see its tasks in vCenter, and run again")
    return now


def _mark_as_template(vcenter: VCenter, vm: Any, path: str) -> None:
    """Make a VM a template. A vCenter may have finished this call of an interrupted run, and refuses a second one."""
    vcenter.say(f"marking {path} as a template")
    try:
        vm.MarkAsTemplate()
    except VSphereError:
        row = one(vcenter, vm, ["config.template"])
        if row is None or not row.get("config.template"):
            raise


def _restore_place_and_name(vcenter: VCenter, order: Order, vm: Any, now: ExistingTemplate) -> None:
    """Move and rename it back to the folder and the name that it was made with."""
    if now.settings["folder"] != order.content.placement.folder:
        finish(vcenter, order.folder.MoveIntoFolder_Task([vm]), "moving back", now.path, limit=order.limit)
    if now.name != order.name:
        finish(vcenter, vm.Rename_Task(order.name), "renaming back", now.path, limit=order.limit)
    vcenter.paths[vm._moId] = order.path


def existing_template(vcenter: VCenter, vm: Any) -> ExistingTemplate | None:
    """Read a template, or the VM that somebody made of it; None when it is gone."""
    row = one(vcenter, vm, _paths(vcenter))
    return _existing(vcenter, row) if row else None


def left_beside(vcenter: VCenter, owner: Owner, content: TemplateContent, moref: str) -> list[str]:
    """Return the paths of what interrupted runs left of this template, except what linked clones need."""
    beside = [vm for vm in _made_for(vcenter, owner, content) if vm.moref != moref]
    return [vm.path for vm in beside if not linked_clones(vcenter, vm)]


def _vms_of_order(vcenter: VCenter, order: Order) -> list[MarkedVm]:
    return _made_for(vcenter, order.owner, order.content)


def _made_for(vcenter: VCenter, owner: Owner, content: TemplateContent) -> list[MarkedVm]:
    mine = (owner.stack, content.placement.failure_domain)
    found = marked(vcenter, owner.environment_id)
    return [vm for vm in found if (vm.marks.get(MARK_STACK), vm.marks.get(MARK_DOMAIN, "")) == mine]


def _complete_vm(vcenter: VCenter, order: Order, found: MarkedVm) -> Any | None:
    """Return the VM that an earlier run began when it is complete; otherwise remove it."""
    await_tasks(vcenter, found, order.limit)
    disks = [_disks(vcenter, vm) for vm in (found.object, order.source)]
    if found.is_template or (disks[0] and len(disks[0]) == len(disks[1])):
        return found.object
    vcenter.say(f"removing {found.path}, which was cloned half")
    remove(vcenter, found, order.limit)
    return None


def _disks(vcenter: VCenter, vm: Any) -> Sequence[Any]:
    row = one(vcenter, vm, ["config.hardware.device"])
    devices = (row.get("config.hardware.device") if row else None) or ()
    return [device for device in devices if isinstance(device, vim.vm.device.VirtualDisk)]


def _new_clone(vcenter: VCenter, order: Order) -> Any:
    try:
        return clone(vcenter, order, order.source, order.name, CLONED)
    except Exists:
        found = next((vm for vm in _vms_of_order(vcenter, order) if vm.name == order.name), None)
        if found is None:
            raise
        return found.object


def clone(vcenter: VCenter, order: Order, source: Any, name: str, step: str) -> Any:
    """Make a marked clone, powered off. Returns the `vim.VirtualMachine`."""
    where = vim.vm.RelocateSpec(datastore=order.datastore, pool=order.pool)
    marks = marking(order.owner, order.marks(step, name))
    spec = vim.vm.CloneSpec(location=where, powerOn=False, template=False, config=marks)
    task = source.CloneVM_Task(order.folder, name, spec)
    about = f"{order.content.placement.folder}/{name}"
    vm = finish(vcenter, task, "cloning", about, limit=order.limit)
    vcenter.paths[vm._moId] = about
    return vm


def _configure(vcenter: VCenter, order: Order, vm: Any, row: Row) -> None:
    about = order.path
    version = settings_of(row.values)[HARDWARE_VERSION]
    if isinstance(version, int) and version < order.content.hardware_version:
        task = vm.UpgradeVM_Task(f"vmx-{order.content.hardware_version}")
        finish(vcenter, task, "upgrading the hardware of", about, limit=order.limit)
    groups = bool(order.content.device_groups)
    if groups:
        vcenter.require_api(GROUPS_API, "device groups")
    vcenter.require_api(DYNAMIC_API, "GPUs in VM templates")
    present = row.get("config.hardware.device") or ()
    marks = {**order.owner.marks(), **order.marks(CONFIGURED), MARK_INSTANCE: str(row.get("config.instanceUuid") or "")}
    spec = configuring(order.content, present, marks, groups=groups)
    finish(vcenter, vm.ReconfigVM_Task(spec), "configuring", about, limit=order.limit)


def _paths(vcenter: VCenter) -> list[str]:
    has_groups = int(vcenter.about.api_version.partition(".")[0]) >= int(GROUPS_API.partition(".")[0])
    return [*READ_BACK, *([DEVICE_GROUPS] if has_groups else [])]


def _read(vcenter: VCenter, order: Order, vm: Any) -> Row:
    row = one(vcenter, vm, _paths(vcenter))
    if row is None:
        message = f"{order.name} was removed while it was made"
        raise StepError(message, code="vsphere.not_found", hint="run again", transient=True)
    return row


def _missing_settings(order: Order, now: ExistingTemplate) -> list[Difference]:
    return differences(order.content.expected(order.owner), now.settings)


def _existing(vcenter: VCenter, row: Row) -> ExistingTemplate:
    path = path_of(vcenter, row.object) or ""
    settings = {**settings_of(row.values), "folder": path.rpartition("/")[0]}
    return ExistingTemplate(row.moref, path, str(row.get("name")), settings)
