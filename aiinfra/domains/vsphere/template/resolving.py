"""Resolves a spec to the content of its template, from the facts of its site. Pure."""

from __future__ import annotations

from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.facts.vgpu import family_of
from aiinfra.domains.vsphere.hosts.matching import is_model, model_of
from aiinfra.domains.vsphere.hosts.profiles import SHARING, Choice, NoProfile, choose, some
from aiinfra.domains.vsphere.inventory_paths import pool_path
from aiinfra.domains.vsphere.reading.observed import Card, Datastore, Host, Pool, Site
from aiinfra.domains.vsphere.spec import (
    GpuTemplateSpec,
    GroupDevices,
    Ova,
    PassthroughDevices,
    StaticDevices,
    VgpuDevices,
)
from aiinfra.domains.vsphere.template.content import (
    IMAGE,
    Device,
    DynamicPassthrough,
    ResolvedPlacement,
    StaticPassthrough,
    TemplateContent,
    Vgpu,
)
from aiinfra.domains.vsphere.template.mmio import ALWAYS_GB, mmio
from aiinfra.errors import StepError
from aiinfra.facts.gpus import GPUS, PCI_VENDOR, Gpu

VENDOR: Final = int(PCI_VENDOR, 16)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The content of a template, and facts about its GPUs for outputs."""

    content: TemplateContent
    gpu_model: str
    """Name in our table; for other cards, the name that the host reports."""
    gpu_memory_mib: int
    """Memory of each device."""
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


def resolve(spec: GpuTemplateSpec, site: Site) -> Resolved:
    """Return the template that a site gives for a spec. Raises `StepError` with a code of `vsphere.` when it cannot."""
    datastore, folder = datastore_and_folder(spec, site)
    found = _devices(spec, site)
    mmio_gb, why = _mmio(spec, found.memory_mib * spec.count)
    content = TemplateContent(
        placement=ResolvedPlacement(
            spec.failure_domain, site.cluster.path, datastore.path, folder, spec.place.resource_pool
        ),
        source=_source(spec, site),
        devices=found.devices,
        cpus=spec.cpus,
        cores_per_socket=spec.cores_per_socket,
        memory_mib=spec.memory_mib,
        hardware_version=spec.hardware_version,
        mmio_gb=mmio_gb,
        device_groups=(spec.gpu.group,) if isinstance(spec.gpu, GroupDevices) else (),
        extra_config=spec.extra_config,
    )
    return Resolved(content, found.model, found.memory_mib, spec.count, found.profile, (*found.explained, why))


def _mmio(spec: GpuTemplateSpec, gpu_memory_mib: int) -> tuple[int, str]:
    """Return the MMIO size in GB, and a sentence that says why."""
    if spec.mmio != "auto":
        return spec.mmio, f"MMIO {spec.mmio} GB, as the file says" if spec.mmio else "no MMIO keys are set"
    if not gpu_memory_mib:
        return ALWAYS_GB, f"MMIO {ALWAYS_GB} GB, as nobody tells how much memory its GPUs have"
    size = mmio(gpu_memory_mib)
    return size.size_gb, f"MMIO {size}"


def datastore_and_folder(spec: GpuTemplateSpec, site: Site) -> tuple[Datastore, str]:
    """Return the datastore, and the folder's path. Raises `StepError` for one that does not exist."""
    if site.datastore is None or site.folder is None:
        missing = f"datastore {spec.place.datastore}" if site.datastore is None else f"folder {spec.place.folder}"
        raise StepError(
            f"{missing} does not exist in {site.vcenter}", code="vsphere.not_found", hint="name one that exists"
        )
    return site.datastore, site.folder


def resource_pool(spec: GpuTemplateSpec, site: Site) -> Pool:
    """Return the pool of the template's VMs. Raises `StepError` when it does not exist."""
    if site.resource_pool is None:
        path = pool_path(spec.place.resource_pool, site.cluster.path)
        raise StepError(f"resource pool {path} does not exist", code="vsphere.not_found", hint="name one that exists")
    return site.resource_pool


def _source(spec: GpuTemplateSpec, site: Site) -> str:
    if isinstance(spec.source, Ova):
        return f"{IMAGE}{spec.source.sha256}"
    if site.source is None:
        hint = "name a VM or template that exists, by its inventory path"
        raise StepError(
            f"source {spec.source_path} does not exist in {site.vcenter}", code="vsphere.not_found", hint=hint
        )
    if (disks := site.source.disk_mib) is not None and len(disks) != 1:
        message = f"source {site.source.path} has {len(disks)} disks; a machine set needs one"
        raise StepError(message, code="vsphere.source", hint="take an image with one disk")
    return site.source.path


def _devices(spec: GpuTemplateSpec, site: Site) -> _Devices:
    match spec.gpu:
        case VgpuDevices() as gpu_spec:
            return _vgpus(gpu_spec, site)
        case PassthroughDevices() as gpu_spec:
            return _passthrough(gpu_spec, site)
        case StaticDevices() as gpu_spec:
            return _static(gpu_spec, site)
        case GroupDevices() as gpu_spec:
            return _group(gpu_spec, site)


def _vgpus(gpu_spec: VgpuDevices, site: Site) -> _Devices:
    choice = choose(site.cluster.hosts, gpu_spec)
    if isinstance(choice, NoProfile):
        raise StepError(choice.message, code=choice.code, where=site.cluster.path, hint=choice.hint)
    profile = choice.profile
    gpu = (None if gpu_spec.profile else gpu_spec.gpu) or _gpu_of(profile.name)
    devices = tuple(Vgpu(profile.name) for _ in range(gpu_spec.count))
    why = f"profile {profile.name}: {SHARING[profile.sharing]}, {profile.frame_buffer_gib} GiB, can be started on "
    sentences = (f"{why}{some(choice.hosts)}", *_passed_over(choice))
    model = gpu.name if gpu else next((card.name for card in _cards_of(site, profile.device_vendor_id)), "")
    return _Devices(devices, model, profile.frame_buffer_gib * 1024, profile.name, sentences)


def _passed_over(choice: Choice) -> tuple[str, ...]:
    return (f"passed over: {'; '.join(choice.passed_over)}",) if choice.passed_over else ()


def _gpu_of(profile: str) -> Gpu | None:
    family = family_of(profile)
    return GPUS[family.gpus[0]] if family else None


def _cards_of(site: Site, device_vendor_id: int) -> list[Card]:
    return [card for host in site.cluster.hosts for card in host.cards if card.device_vendor_id == device_vendor_id]


def _passthrough(gpu_spec: PassthroughDevices, site: Site) -> _Devices:
    """Return the devices; their ids must be those that a host lists (vSphere Web Services API, `AllowedDevice`)."""
    gpu = gpu_spec.gpu
    hosts = [host.name for host in site.cluster.hosts if any(is_model(card, gpu) for card in host.cards)]
    if not hosts:
        present = sorted({card.name for host in site.cluster.hosts for card in host.cards})
        message = f"no host of {site.cluster.path} has a {gpu.name}"
        hint = f"they have: {', '.join(present) or 'no NVIDIA cards'}"
        raise StepError(message, code="vsphere.cards", where=site.cluster.path, hint=hint)
    device = DynamicPassthrough(VENDOR, int(gpu.pci_device, 16), gpu_spec.label)
    why = f"{device}: {some(hosts)} have such cards; placement takes one that is free"
    shown = (card.name for host in site.cluster.hosts for card in host.cards if is_model(card, gpu))
    name = gpu.name if gpu_spec.model else next(shown)
    return _Devices((device,) * gpu_spec.count, name, gpu.memory_mib, "", (why,))


def _static(gpu_spec: StaticDevices, site: Site) -> _Devices:
    host = next((host for host in site.cluster.hosts if host.name == gpu_spec.host), None)
    if host is None:
        there = some([host.name for host in site.cluster.hosts])
        message, hint = f"{site.cluster.path} has no host {gpu_spec.host}", f"its hosts are: {there}"
        raise StepError(message, code="vsphere.present", where=site.cluster.path, hint=hint)
    devices = tuple(_static_device(host, pci_id) for pci_id in gpu_spec.pci_ids)
    cards = [card for card in host.cards if card.pci_id in gpu_spec.pci_ids]
    gpu = model_of(cards[0]) if cards else None
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


def _group(gpu_spec: GroupDevices, site: Site) -> _Devices:
    named = {group.name: group for host in site.cluster.hosts for group in host.groups or ()}
    if gpu_spec.group not in named:
        message = f"no host of {site.cluster.path} lists the device group {gpu_spec.group}"
        hint = f"they list: {', '.join(sorted(named)) or 'none'}"
        raise StepError(message, code="vsphere.cards", where=site.cluster.path, hint=hint)
    profile = gpu_spec.group.rpartition("@")[2].partition("%")[0]
    gpu = _gpu_of(profile)
    why = f"device group {gpu_spec.group}: {named[gpu_spec.group].description or 'given as one'}"
    return _Devices((), gpu.name if gpu else "", gpu.memory_mib if gpu else 0, profile, (why,))
