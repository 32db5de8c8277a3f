"""What a `GpuTemplate` does in a vCenter, from typed parts to its outputs. Imports pyVmomi."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiinfra.domains.vsphere.client.proofs import Disturbed
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.hosts.apply_changes import apply
from aiinfra.domains.vsphere.hosts.changes import changes
from aiinfra.domains.vsphere.hosts.mig_commands import steps
from aiinfra.domains.vsphere.provider.gpu_template import Flags
from aiinfra.domains.vsphere.reading.inventory import find, marked
from aiinfra.domains.vsphere.reading.observed import Site
from aiinfra.domains.vsphere.reading.sites import read_sites
from aiinfra.domains.vsphere.template.desired import Owner, TemplateSpec, Value, differences, plain
from aiinfra.domains.vsphere.template.making import Order, Standing, clear, left_beside, make, mend, standing
from aiinfra.domains.vsphere.template.ova import Place, drop_image, imported
from aiinfra.domains.vsphere.template.power_on import prove
from aiinfra.domains.vsphere.template.removal import remove
from aiinfra.domains.vsphere.template.request import Ova, Request
from aiinfra.domains.vsphere.template.resolving import Resolved, placed, resolve
from aiinfra.errors import AiinfraError, StepError
from aiinfra.waiting import Pending, Stopped, TimedOut

LOOK_EVERY = 10.0
"""Seconds between two looks at hosts that somebody is working on."""


class Unproved(Exception):
    """A template stands, and no VM of it was seen to start."""

    def __init__(self, told: dict[str, Any], cause: AiinfraError | Stopped) -> None:
        super().__init__(str(cause))
        self.told, self.cause = told, cause
        """Its outputs, and why."""


def make_template(vcenter: VCenter, request: Request, flags: Flags, kept: Collection[str]) -> dict[str, Any]:
    """The outputs of a template that was made or found. Raises `AiinfraError`, `Stopped`, and `Unproved`."""
    site = _ready_site(vcenter, request, flags)
    resolved = resolve(request, site)
    order = _order(vcenter, request, resolved.spec, site, flags)
    made = make(vcenter, order, kept)
    told = {**_told(made, resolved), "vcenter_uuid": vcenter.about.instance_uuid, "verified": ""}
    return _proved(vcenter, order, told) if flags.power_on else told


def _proved(vcenter: VCenter, order: Order, told: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**told, "verified": prove(vcenter, order, vcenter.object(told["moref"], "VirtualMachine"))}
    except (AiinfraError, Stopped) as error:
        raise Unproved(told, error) from error


def read_template(vcenter: VCenter, moref: str, spec: TemplateSpec, owner: Owner) -> Mapping[str, Any] | None:
    """Its settings as they are now, and in `drift` a sentence for each that is not as it was made; None: it is gone."""
    found = standing(vcenter, vcenter.object(moref, "VirtualMachine"))
    if found is None:
        return None
    name = spec.name(owner)
    changed = [f"{name}: {each}" for each in differences(spec.expected(owner), found.settings)]
    beside = [f"{path}: left by an earlier run" for path in left_beside(vcenter, owner, spec, moref)]
    return {"settings": _shown(spec, found.settings), "drift": [*changed, *beside]}


def mend_template(vcenter: VCenter, request: Request, flags: Flags, spec: TemplateSpec, moref: str) -> dict[str, Any]:
    """Put right what somebody changed by hand; the outputs that changed.

    A template that this one replaces goes when this one is proved. Raises as `make_template` does.
    """
    site = _site(vcenter, request)
    order = _order(vcenter, request, spec, site, flags, imports=False)
    clear(vcenter, order, [moref], replaced=False)
    made = mend(vcenter, order, vcenter.object(moref, "VirtualMachine"))
    told = {"settings": _shown(spec, made.settings), "path": order.path, "moref": moref, "verified": "", "drift": []}
    told = _proved(vcenter, order, told) if flags.power_on else told
    clear(vcenter, order, [moref])
    return told


def delete_template(vcenter: VCenter, owner: Owner, spec: TemplateSpec, moref: str, limit: float) -> None:
    """Only what carries our mark; a template that others stand on is kept and said.

    The image that it was cloned from goes with the last one of it.
    """
    found = next((vm for vm in marked(vcenter, owner.environment_id) if vm.moref == moref), None)
    if found is not None and (kept := remove(vcenter, found, limit)):
        vcenter.say(str(kept))
    if spec.image:
        drop_image(vcenter, owner.environment_id, spec.image, limit)


def _site(vcenter: VCenter, request: Request) -> Site:
    return read_sites(vcenter, [request.site()])[0]


def _ready_site(vcenter: VCenter, request: Request, flags: Flags) -> Site:
    """The site, once hosts are as the template needs them: changed by us when we may, or by somebody we wait for."""
    site = _quiet_site(vcenter, request, flags)
    if flags.manage_hosts and (wanted := changes(site.cluster.hosts, request.vm())):
        apply(vcenter, wanted)
        site = _quiet_site(vcenter, request, flags)
    return _with_mig(vcenter, request, flags, site) if flags.wait_for_host_mig else site


def _quiet_site(vcenter: VCenter, request: Request, flags: Flags) -> Site:
    """As it is while no other template's proof holds GPUs there: by what can be started a profile is chosen."""

    def read() -> Site | Disturbed:
        since = vcenter.proofs.now()
        site = _site(vcenter, request)
        rivals = vcenter.proofs.rivals(site.cluster.path, since)
        return Disturbed(rivals) if rivals else site

    return vcenter.proofs.undisturbed(read, lambda: vcenter.waiter(flags.limit))


def _with_mig(vcenter: VCenter, request: Request, flags: Flags, site: Site) -> Site:
    latest = site

    def ask() -> Site | Pending:
        nonlocal latest
        todo = steps(latest.cluster.hosts, request.vm())
        if not todo:
            return latest
        latest = _site(vcenter, request)
        return Pending("MIG mode on the hosts: " + " ".join(line.strip() for one in todo for line in one.lines()))

    try:
        return vcenter.waiter(flags.limit, LOOK_EVERY).until(ask)
    except TimedOut as error:
        raise StepError(
            f"MIG mode was not switched within {flags.limit:g} s: {error.last}",
            code="vsphere.mig_off",
            hint="run these commands in the hosts' shells, then run again",
        ) from error


def _order(
    vcenter: VCenter, request: Request, spec: TemplateSpec, site: Site, flags: Flags, *, imports: bool = True
) -> Order:
    store, path = placed(request, site)
    folder, datastore = find(vcenter, path), vcenter.object(store.moref, "Datastore")
    pool = _pool(vcenter, request, site)
    source = None
    if isinstance(request.source, Ova):
        source = imported(vcenter, request, Place(folder, pool, datastore), flags.limit) if imports else None
    elif site.source is not None:
        source = vcenter.object(site.source.moref, "VirtualMachine")
    return Order(request.owner, spec, folder, pool, datastore, source, flags.limit)


def _pool(vcenter: VCenter, request: Request, site: Site) -> Any:
    if not request.resource_pool:
        return vcenter.object(site.cluster.resource_pool, "ResourcePool")
    path = f"{site.cluster.path}/Resources/{request.resource_pool}"
    path = request.resource_pool if request.resource_pool.startswith("/") else path
    found = find(vcenter, path)
    if found is None:
        raise StepError(f"resource pool {path} does not exist", code="vsphere.not_found", hint="name one that exists")
    return found


def _told(made: Standing, resolved: Resolved) -> dict[str, Any]:
    return {
        "name": made.name,
        "path": made.path,
        "moref": made.moref,
        "gpu_model": resolved.gpu_model,
        "gpu_memory_mib": resolved.gpu_memory_mib,
        "gpu_count": resolved.gpu_count,
        "profile": resolved.profile,
        "spec": plain(resolved.spec),
        "settings": _shown(resolved.spec, made.settings),
        "explained": list(resolved.explained),
        "drift": [],
    }


def _shown(spec: TemplateSpec, settings: Mapping[str, Value]) -> dict[str, Any]:
    """What is kept in the state: only the fields that we set, as a VM's other keys may hold anything."""
    shown = {name: settings.get(name) for name in spec.settings()}
    return {name: list(one) if isinstance(one, tuple) else one for name, one in shown.items()}
