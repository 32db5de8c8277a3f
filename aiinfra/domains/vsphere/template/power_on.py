"""The proof that a VM of a template starts: a throw-away clone is placed by DRS, powered on, read, and removed."""

from __future__ import annotations

import threading
from typing import Any, Final

from pyVmomi import vim

from aiinfra.domains.vsphere.client.errors import NotStarted, VSphereError
from aiinfra.domains.vsphere.client.proofs import Disturbed
from aiinfra.domains.vsphere.client.properties import one
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.client.tasks import finish
from aiinfra.domains.vsphere.inventory_paths import NAME_LIMIT
from aiinfra.domains.vsphere.marks import PROOF
from aiinfra.domains.vsphere.reading.inventory import MarkedVm, find
from aiinfra.domains.vsphere.template.config_spec import settings_of
from aiinfra.domains.vsphere.template.making import Order, clone
from aiinfra.domains.vsphere.template.removal import remove
from aiinfra.errors import StepError

SUFFIX: Final = "-proof"
PLACED_BY_DRS: Final = vim.option.OptionValue(key="OverrideAutomationLevel", value="fullyAutomated")
"""As the OpenShift actuator powers on: DRS places the VM also in a cluster that asks before."""


def prove(vcenter: VCenter, order: Order, template: Any) -> str:
    """Start a clone of the template and return what was seen, as a sentence.

    Raises `NotStarted` with the cause, `VSphereError`, `StepError`, `Stopped`.

    The clone is removed however it ends, also when the run is stopped.
    """
    name = f"{order.name[: NAME_LIMIT - len(SUFFIX)]}{SUFFIX}"
    vm = clone(vcenter, order, template, name, PROOF)
    path = f"{order.content.placement.folder}/{name}"
    try:
        return vcenter.proofs.undisturbed(
            lambda: _started(vcenter, order, vm, path), lambda: vcenter.waiter(order.limit)
        )
    finally:
        _discard(vcenter, vm, path, order.limit)
        vcenter.proofs.end(path)


def _started(vcenter: VCenter, order: Order, vm: Any, path: str) -> str | Disturbed:
    """Start the clone and return what was seen; a refusal counts unless another proof held GPUs there."""
    cluster = order.content.placement.cluster
    since = vcenter.proofs.begin(cluster, path)
    try:
        _power_on(vcenter, order, vm, path)
    except NotStarted:
        vcenter.proofs.give_up(path)
        if rivals := vcenter.proofs.rivals(cluster, since):
            return Disturbed(rivals)
        raise
    return _seen(vcenter, order, vm)


def _power_on(vcenter: VCenter, order: Order, vm: Any, path: str) -> None:
    datacenter = find(vcenter, order.datacenter)
    if datacenter is None:
        raise StepError(f"the datacenter {order.datacenter} is gone", code="vsphere.not_found")
    task = datacenter.PowerOnMultiVM_Task([vm], [PLACED_BY_DRS])
    placed = finish(vcenter, task, "placing", path, limit=order.limit, powering=True)
    for refused in getattr(placed, "notAttempted", None) or ():
        raise vcenter.refusal(refused.fault, path, powering=True)
    for attempt in getattr(placed, "attempted", None) or ():
        if attempt.task is not None:
            finish(vcenter, attempt.task, "powering on", path, limit=order.limit, powering=True)


def _seen(vcenter: VCenter, order: Order, vm: Any) -> str:
    row = one(vcenter, vm, ["runtime.powerState", "runtime.host", "config.hardware.device"])
    if row is None or row.get("runtime.powerState") != "poweredOn":
        message = f"{order.name} was powered on and does not run"
        raise NotStarted(message, code="vsphere.power_on", hint="see the events of its clone in vCenter")
    want, have = order.content.settings().get("GPU devices"), settings_of(row.values)["GPU devices"]
    if want is not None and want != have:
        message = f"a VM of {order.name} runs with {have}, not {want}"
        raise NotStarted(message, code="vsphere.power_on", hint="compare the template's devices with its clone's")
    host = one(vcenter, row.get("runtime.host"), ["name"])
    shown = " and ".join(want) if isinstance(want, tuple) else "its device groups"
    return f"a VM with {shown} was powered on by placement on {host.get('name') if host else 'a host'}, then removed"


def _discard(vcenter: VCenter, vm: Any, path: str, limit: float) -> None:
    """Remove the clone, also after a stop, as it holds GPUs."""
    last = vcenter.reporting_to(threading.Event(), vcenter.say)
    row = one(last, vm, ["runtime.powerState"])
    if row is None:
        return
    clone = MarkedVm(
        vm._moId, path, path.rpartition("/")[2], False, row.get("runtime.powerState") == "poweredOn", {}, vm
    )
    try:
        remove(last, clone, limit)
    except VSphereError as error:
        vcenter.say(f"{path} is left behind, the next run removes it: {error}")
