"""The life of one GPU VM template in a vCenter: creation, inspection, repair, deletion. Imports pyVmomi."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.client.proofs import Disturbed
from aiinfra.domains.vsphere.client.session import VCenter
from aiinfra.domains.vsphere.hosts.apply_changes import apply
from aiinfra.domains.vsphere.hosts.changes import changes
from aiinfra.domains.vsphere.hosts.mig_commands import steps
from aiinfra.domains.vsphere.inventory_paths import datacenter_path
from aiinfra.domains.vsphere.marks import Owner
from aiinfra.domains.vsphere.reading.inventory import find, marked
from aiinfra.domains.vsphere.reading.observed import Site
from aiinfra.domains.vsphere.reading.privileges import site_question
from aiinfra.domains.vsphere.reading.sites import read_sites
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, Ova
from aiinfra.domains.vsphere.template.content import TemplateContent, differences
from aiinfra.domains.vsphere.template.making import (
    ExistingTemplate,
    Order,
    clear,
    existing_template,
    left_beside,
    make,
    mend,
)
from aiinfra.domains.vsphere.template.ova import ImageImport, drop_image, imported_image
from aiinfra.domains.vsphere.template.power_on import prove
from aiinfra.domains.vsphere.template.removal import remove
from aiinfra.domains.vsphere.template.resolving import Resolved, datastore_and_folder, resolve, resource_pool
from aiinfra.errors import AiinfraError, StepError
from aiinfra.waiting import Pending, Stopped, TimedOut

LOOK_EVERY: Final = 10.0
"""Seconds between two looks at hosts that somebody is working on."""


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template that was made, or existed as it should be."""

    existing: ExistingTemplate
    resolved: Resolved
    vcenter_uuid: str
    """Identity of the vCenter that it is in."""
    verified: str = ""
    """What the power-on proof saw; empty when none was asked for, or none succeeded."""

    @property
    def content(self) -> TemplateContent:
        return self.resolved.content


@dataclass(frozen=True, slots=True)
class MendedTemplate:
    """A template that was repaired."""

    existing: ExistingTemplate
    content: TemplateContent
    verified: str = ""
    """What the power-on proof saw; empty when none was asked for."""


@dataclass(frozen=True, slots=True)
class InspectedTemplate:
    """A template as it was read back."""

    existing: ExistingTemplate
    content: TemplateContent
    """The content that it was made with."""
    drift: Sequence[str]
    """One sentence for each setting that is not as it was made."""


class Unproved(Exception):
    """A template exists, and no VM of it was seen to start."""

    def __init__(self, template: NewTemplate | MendedTemplate, cause: AiinfraError | Stopped) -> None:
        super().__init__(str(cause))
        self.template, self.cause = template, cause


def make_template(vcenter: VCenter, owner: Owner, spec: GpuTemplateSpec, kept: Collection[str]) -> NewTemplate:
    """Make a template, or return the existing one; templates with the morefs `kept` are not touched.

    Raises `AiinfraError`, `Stopped`, and `Unproved` when the template exists and its proof failed.
    """
    site = _ready_site(vcenter, spec)
    resolved = resolve(spec, site)
    order = _order(vcenter, owner, spec, resolved.content, site)
    new = NewTemplate(make(vcenter, order, kept), resolved, vcenter.about.instance_uuid)
    return _proved(vcenter, order, new) if spec.power_on else new


def read_template(vcenter: VCenter, moref: str, content: TemplateContent, owner: Owner) -> InspectedTemplate | None:
    """Read a template as it is now, with its drift; None when it is gone."""
    found = existing_template(vcenter, vcenter.object(moref, "VirtualMachine"))
    if found is None:
        return None
    name = content.name(owner)
    changed = [f"{name}: {each}" for each in differences(content.expected(owner), found.settings)]
    beside = [f"{path}: left by an earlier run" for path in left_beside(vcenter, owner, content, moref)]
    return InspectedTemplate(found, content, [*changed, *beside])


def mend_template(
    vcenter: VCenter, owner: Owner, spec: GpuTemplateSpec, content: TemplateContent, moref: str
) -> MendedTemplate:
    """Correct what somebody changed by hand.

    A template that this one replaces is removed once this one is proved. Raises as `make_template` does.
    """
    site = _site(vcenter, spec)
    order = _order(vcenter, owner, spec, content, site, imports=False)
    clear(vcenter, order, [moref], replaced=False)
    mended = MendedTemplate(mend(vcenter, order, vcenter.object(moref, "VirtualMachine")), content)
    mended = _proved(vcenter, order, mended) if spec.power_on else mended
    clear(vcenter, order, [moref])
    return mended


def delete_template(vcenter: VCenter, owner: Owner, content: TemplateContent, moref: str, limit: float) -> None:
    """Remove a template that carries our mark; one whose disks other VMs use is kept and reported.

    The image that it was cloned from is removed with the last template of it. `limit` is seconds for each task.
    """
    found = next((vm for vm in marked(vcenter, owner.environment_id) if vm.moref == moref), None)
    if found is not None and (kept := remove(vcenter, found, limit)):
        vcenter.say(str(kept))
    if content.image:
        drop_image(vcenter, owner.environment_id, content.image, limit)


T = TypeVar("T", NewTemplate, MendedTemplate)


def _proved(vcenter: VCenter, order: Order, template: T) -> T:
    try:
        verified = prove(vcenter, order, vcenter.object(template.existing.moref, "VirtualMachine"))
    except (AiinfraError, Stopped) as error:
        raise Unproved(template, error) from error
    return replace(template, verified=verified)


def _site(vcenter: VCenter, spec: GpuTemplateSpec) -> Site:
    return read_sites(vcenter, [site_question(spec)])[0]


def _ready_site(vcenter: VCenter, spec: GpuTemplateSpec) -> Site:
    """Return the site once hosts are as the template needs them: changed by us, or by somebody we wait for."""
    site = _undisturbed_site(vcenter, spec)
    if spec.manage_hosts and (planned := changes(site.cluster.hosts, spec)):
        apply(vcenter, planned)
        site = _undisturbed_site(vcenter, spec)
    if spec.wait_for_host_mig and steps(site.cluster.hosts, spec):
        return _site_with_mig(vcenter, spec)
    return site


def _undisturbed_site(vcenter: VCenter, spec: GpuTemplateSpec) -> Site:
    """Return the site while no other proof holds GPUs there: a profile is chosen by what can be started."""

    def read() -> Site | Disturbed:
        since = vcenter.proofs.now()
        site = _site(vcenter, spec)
        rivals = vcenter.proofs.rivals(site.cluster.path, since)
        return Disturbed(rivals) if rivals else site

    return vcenter.proofs.undisturbed(read, lambda: vcenter.waiter(spec.limit_seconds))


def _site_with_mig(vcenter: VCenter, spec: GpuTemplateSpec) -> Site:
    """Return the site once somebody has switched MIG mode on its hosts. Raises `StepError` when nobody does in time."""

    def ask() -> Site | Pending:
        site = _site(vcenter, spec)
        lines = [line.strip() for on_host in steps(site.cluster.hosts, spec) for line in on_host.lines()]
        return Pending(f"MIG mode on the hosts: {' '.join(lines)}") if lines else site

    try:
        return vcenter.waiter(spec.limit_seconds, LOOK_EVERY).until(ask)
    except TimedOut as error:
        raise StepError(
            f"MIG mode was not switched within {spec.limit_seconds:g} s: {error.last}",
            code="vsphere.mig_off",
            hint="run these commands in the hosts' shells, then run again",
        ) from error


def _order(
    vcenter: VCenter,
    owner: Owner,
    spec: GpuTemplateSpec,
    content: TemplateContent,
    site: Site,
    *,
    imports: bool = True,
) -> Order:
    store, path = datastore_and_folder(spec, site)
    folder, datastore = find(vcenter, path), vcenter.object(store.moref, "Datastore")
    pool, limit = vcenter.object(resource_pool(spec, site).moref, "ResourcePool"), spec.limit_seconds
    source = None
    if isinstance(spec.source, Ova):
        image = ImageImport(owner, spec.source, spec.place.datacenter, folder, pool, datastore, limit)
        source = imported_image(vcenter, image) if imports else None
    elif site.source is not None:
        source = vcenter.object(site.source.moref, "VirtualMachine")
    return Order(owner, content, datacenter_path(spec.place.datacenter), folder, pool, datastore, source, limit)
