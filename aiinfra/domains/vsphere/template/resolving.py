"""From what is asked for and what the vCenter told to the one template that is made. Pure but for its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiinfra.domains.vsphere.checks.cards import is_model
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.facts.vgpu import family_of
from aiinfra.domains.vsphere.hosts.profiles import SHARING, Choice, NoProfile, choose, some
from aiinfra.domains.vsphere.reading.observed import Card, Datastore, Host, Site
from aiinfra.domains.vsphere.template.desired import (
    IMAGE,
    Device,
    DynamicPassthrough,
    Placement,
    StaticPassthrough,
    TemplateSpec,
    Vgpu,
)
from aiinfra.domains.vsphere.template.mmio import mmio
from aiinfra.domains.vsphere.template.request import Ova, Request
from aiinfra.errors import StepError
from aiinfra.facts.gpus import GPUS, PCI_VENDOR, Gpu

VENDOR: Final = int(PCI_VENDOR, 16)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The template, and what others want to know of its GPUs."""

    spec: TemplateSpec
    gpu_model: str
    """By the name of our table; as the host says it for a card that the table does not have."""
    gpu_memory_mib: int
    """Of each device."""
    gpu_count: int
    profile: str
    explained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Devices:
    devices: tuple[Device, ...]
    model: str
    memory_mib: int
    profile: str
    explained: tuple[str, ...]


def resolve(request: Request, site: Site) -> Resolved:
    """Raises `StepError` with a code of `vsphere.` for a site that cannot serve the request."""
    datastore, folder = placed(request, site)
    found = _devices(request, site)
    memory = found.memory_mib * request.count
    size = mmio(memory) if request.mmio == "auto" and memory else None
    chosen = request.mmio if isinstance(request.mmio, int) else size.size_gb if size else 512
    spec = TemplateSpec(
        placement=Placement(request.failure_domain, site.cluster.path, datastore.path, folder,
                            request.resource_pool),
        source=_source(request, site),
        devices=found.devices,
        cpus=request.cpus,
        cores_per_socket=request.cores_per_socket,
        memory_mib=request.memory_mib,
        hardware_version=request.hardware_version,
        mmio_gb=chosen,
        device_groups=(request.gpu["group"],) if request.mode == "device_group" else (),
        extra_config=request.extra_config,
    )  # fmt: skip
    told = f"MMIO {size}" if size else _mmio_told(chosen, asked=request.mmio != "auto")
    return Resolved(spec, found.model, found.memory_mib, request.count, found.profile, (*found.explained, told))


def _mmio_told(chosen: int, *, asked: bool) -> str:
    if not asked:
        return f"MMIO {chosen} GB, as nobody tells how much memory its GPUs have"
    return f"MMIO {chosen} GB, as the file says" if chosen else "no MMIO keys are set"


def placed(request: Request, site: Site) -> tuple[Datastore, str]:
    """The datastore, and the folder's path. Raises `StepError` for one that does not exist."""
    if site.datastore is None or site.folder is None:
        missing = f"datastore {request.datastore}" if site.datastore is None else f"folder {request.folder}"
        raise StepError(
            f"{missing} does not exist in {site.vcenter}", code="vsphere.not_found", hint="name one that exists"
        )
    return site.datastore, site.folder


def _source(request: Request, site: Site) -> str:
    if isinstance(request.source, Ova):
        return f"{IMAGE}{request.source.sha256}"
    if site.source is None:
        path = request.vm().source
        hint = "name a VM or template that exists, by its inventory path"
        raise StepError(f"source {path} does not exist in {site.vcenter}", code="vsphere.not_found", hint=hint)
    if (disks := site.source.disk_mib) is not None and len(disks) != 1:
        message = f"source {site.source.path} has {len(disks)} disks; a machine set needs one"
        raise StepError(message, code="vsphere.source", hint="take an image with one disk")
    return site.source.path


def _devices(request: Request, site: Site) -> _Devices:
    wanted = request.vm()
    match request.mode:
        case "vgpu" | "mig":
            return _vgpus(wanted, site)
        case "passthrough":
            return _passthrough(wanted, site)
        case "static_passthrough":
            return _static(wanted, site)
        case "device_group":
            return _group(wanted, site)


def _vgpus(wanted: WantedVm, site: Site) -> _Devices:
    assert wanted.profile is not None
    told = choose(site.cluster.hosts, wanted.profile)
    if isinstance(told, NoProfile):
        raise StepError(told.message, code=told.code, where=site.cluster.path, hint=told.hint)
    profile, gpu = told.profile, wanted.profile.gpu or _gpu_of(told.profile.name)
    devices = tuple(Vgpu(profile.name) for _ in range(wanted.count))
    why = f"profile {profile.name}: {SHARING[profile.sharing]}, {profile.frame_buffer_gib} GiB, can be started on "
    sentences = (f"{why}{some(told.hosts)}", *_passed_over(told))
    model = gpu.name if gpu else next((card.name for card in _cards_of(site, profile.device_vendor_id)), "")
    return _Devices(devices, model, profile.frame_buffer_gib * 1024, profile.name, sentences)


def _passed_over(told: Choice) -> tuple[str, ...]:
    return (f"passed over: {'; '.join(told.passed_over)}",) if told.passed_over else ()


def _gpu_of(profile: str) -> Gpu | None:
    family = family_of(profile)
    return GPUS[family.gpus[0]] if family else None


def _cards_of(site: Site, device_vendor_id: int) -> list[Card]:
    return [card for host in site.cluster.hosts for card in host.cards if card.device_vendor_id == device_vendor_id]


def _passthrough(wanted: WantedVm, site: Site) -> _Devices:
    """The ids must be those that a host tells (vSphere Web Services API, `AllowedDevice`)."""
    gpu = wanted.gpu
    assert gpu is not None
    hosts = [host.name for host in site.cluster.hosts if any(is_model(card, gpu) for card in host.cards)]
    if not hosts:
        present = sorted({card.name for host in site.cluster.hosts for card in host.cards})
        message = f"no host of {site.cluster.path} has a {gpu.name}"
        hint = f"they have: {', '.join(present) or 'no NVIDIA cards'}"
        raise StepError(message, code="vsphere.cards", where=site.cluster.path, hint=hint)
    device = DynamicPassthrough(VENDOR, int(gpu.pci_device, 16), wanted.label)
    why = f"{device}: {some(hosts)} have such cards; placement takes one that is free"
    return _Devices((device,) * wanted.count, gpu.name, gpu.memory_mib, "", (why,))


def _static(wanted: WantedVm, site: Site) -> _Devices:
    host = next((host for host in site.cluster.hosts if host.name == wanted.host), None)
    if host is None:
        there = some([host.name for host in site.cluster.hosts])
        message, hint = f"{site.cluster.path} has no host {wanted.host}", f"its hosts are: {there}"
        raise StepError(message, code="vsphere.present", where=site.cluster.path, hint=hint)
    devices = tuple(_static_device(host, pci_id) for pci_id in wanted.pci_ids)
    cards = [card for card in host.cards if card.pci_id in wanted.pci_ids]
    gpu = next((gpu for gpu in GPUS.values() if cards and is_model(cards[0], gpu)), None)
    memory = gpu.memory_mib if gpu else cards[0].memory_mib or 0 if cards else 0
    why = f"a VM runs on {host.name} and nowhere else: a machine set of it cannot grow past one machine"
    return _Devices(devices, gpu.name if gpu else cards[0].name if cards else "", memory, "", (why,))


def _static_device(host: Host, pci_id: str) -> StaticPassthrough:
    choice = next((one for one in host.static or () if one.pci_id == pci_id), None)
    if choice is None:
        there = ", ".join(one.pci_id for one in host.static or ()) or "none"
        message, hint = f"{host.name} passes no device {pci_id} through", f"it passes through: {there}"
        raise StepError(message, code="vsphere.passthrough", where=host.path, hint=hint)
    return StaticPassthrough(pci_id, choice.vendor_id, choice.device_id, choice.system_id, choice.name)


def _group(wanted: WantedVm, site: Site) -> _Devices:
    named = {group.name: group for host in site.cluster.hosts for group in host.groups or ()}
    if wanted.group not in named:
        message = f"no host of {site.cluster.path} lists the device group {wanted.group}"
        hint = f"they list: {', '.join(sorted(named)) or 'none'}"
        raise StepError(message, code="vsphere.cards", where=site.cluster.path, hint=hint)
    profile = wanted.group.rpartition("@")[2].partition("%")[0]
    gpu = _gpu_of(profile)
    why = f"device group {wanted.group}: {named[wanted.group].description or 'given as one'}"
    return _Devices((), gpu.name if gpu else "", gpu.memory_mib if gpu else 0, profile, (why,))
