"""How many more VMs of one shape the hosts can start now, counted from their cards and what is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.facts.vgpu import ProfileName, most_per_gpu, nominal_gb
from aiinfra.domains.vsphere.hosts.matching import model_of
from aiinfra.domains.vsphere.hosts.profiles import held, key
from aiinfra.domains.vsphere.reading.observed import Card, Host, VgpuProfile
from aiinfra.facts.gpus import Gpu
from aiinfra.facts.mig import MigInstance, memory_slices, room


@dataclass(frozen=True, slots=True)
class Shape:
    """What one VM needs of a host: a number of devices of one profile, or of cards passed through."""

    count: int
    memory_mib: int
    """Guest memory, all of it reserved."""
    profile: VgpuProfile | None = None
    device_id: int = 0
    """PCI device of a card that is passed through; unsigned."""
    label: str = ""
    """Hardware label that the card must have; empty: any."""
    pci_ids: Sequence[str] = ()
    """Cards that are named; a VM then needs all of them, so that there is room for one."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many more VMs one host can start."""

    host: str
    vms: int | None
    """An upper bound, as the driver may place MIG instances badly; None when facts of the host are missing."""
    why: str
    """What limits the number, as a sentence."""


def free(hosts: Sequence[Host], shape: Shape) -> list[Room]:
    """Return the room on each host, in their order; none on a host that is not connected or in maintenance."""
    return [_on(host, shape) for host in hosts]


def total(rooms: Sequence[Room]) -> int:
    return sum(room.vms or 0 for room in rooms)


def _on(host: Host, shape: Shape) -> Room:
    if why := host.unread.get("connected"):
        return Room(host.name, None, why)
    if not host.connected:
        return Room(host.name, 0, "the host is not connected")
    if host.maintenance:
        return Room(host.name, 0, "the host is in maintenance mode")
    if why := _unknown_part(host, shape):
        return Room(host.name, None, why)
    devices = sum(_vgpus(host, shape.profile) if shape.profile else _cards(host, shape))
    by_devices, by_memory = devices // shape.count, host.memory_free_mib // shape.memory_mib
    what = shape.profile.name if shape.profile else "cards to pass through"
    if by_memory < by_devices:
        free_gib, needed_gib = host.memory_free_mib // 1024, shape.memory_mib / 1024
        return Room(host.name, by_memory, f"{free_gib} GiB of memory are free, a VM reserves {needed_gib:g}")
    return Room(host.name, by_devices, f"{what}: {devices} free, a VM takes {shape.count}")


def _unknown_part(host: Host, shape: Shape) -> str:
    """Return which fact of the host is missing, so that a count would be a guess; empty when none is."""
    if shape.profile and host.startable is None:
        return "the host does not tell which profiles it can start"
    if not shape.profile and any(_is_asked_for(card, shape) and card.passthrough is None for card in host.cards):
        return "the host does not tell which cards are passed through"
    if shape.profile and "graphics" in host.unread:
        return f"its graphics devices: {host.unread['graphics']}"
    memory = host.unread.get("memory")
    return f"its memory: {memory}" if memory else host.unread.get("vms", "")


def _is_asked_for(card: Card, shape: Shape) -> bool:
    return card.pci_id in shape.pci_ids if shape.pci_ids else card.device_id == shape.device_id


def _cards(host: Host, shape: Shape) -> Iterator[int]:
    """Yield 1 for each card that can be passed through to a new VM."""
    taken = {pci_id for vm in host.vms for pci_id in vm.passthrough}
    for card in host.cards:
        state = card.passthrough
        fitting = _is_asked_for(card, shape) and state and state.active and shape.label in ("", state.label)
        yield int(bool(fitting) and card.pci_id not in taken)


def _vgpus(host: Host, profile: VgpuProfile) -> Iterator[int]:
    """Yield how many more of the profile fit on each card of its kind."""
    if not any(key(name) == key(profile.name) for name in host.startable or ()):
        return
    for card in host.cards:
        if card.device_vendor_id == profile.device_vendor_id and card.graphics_type == "sharedDirect":
            yield _more(card, held(host, card), profile)


def _more(card: Card, held: Sequence[VgpuProfile], profile: VgpuProfile) -> int:
    if profile.sharing == "mig":
        return _more_mig(card, held, profile)
    if any(one.sharing == "mig" for one in held):
        return 0
    same_size = card.vgpu_mode != "mixedSize"
    if same_size and any(one.frame_buffer_gib != profile.frame_buffer_gib for one in held):
        return 0
    most = most_per_gpu(profile.name) or (card.memory_mib or 0) // (profile.frame_buffer_gib * 1024)
    left_gib = (nominal_gb(profile.name) or (card.memory_mib or 0) // 1024) - sum(one.frame_buffer_gib for one in held)
    return max(0, most - len(held)) if same_size else max(0, min(most, int(left_gib // profile.frame_buffer_gib)))


def _more_mig(card: Card, held: Sequence[VgpuProfile], profile: VgpuProfile) -> int:
    gpu = model_of(card)
    if gpu is None or not gpu.mig_slices or any(one.sharing != "mig" for one in held):
        return 0
    instances = [_instance(gpu, one) for one in (*held, profile)]
    return room(gpu.mig_slices, instances[:-1], instances[-1])


def _instance(gpu: Gpu, profile: VgpuProfile) -> MigInstance:
    name = ProfileName.of(profile.name)
    slices = name.type.slices if name else gpu.mig_slices
    memory = memory_slices(gpu.mig_slices, gpu.memory_mib, profile.frame_buffer_gib)
    return MigInstance(slices, memory, "+me" if name is not None and name.type.series.endswith("ME") else "")
