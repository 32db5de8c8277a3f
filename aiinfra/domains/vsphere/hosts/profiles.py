"""Which vGPU profile a VM gets: chosen from those that the hosts list, by name or by model and memory.

A name is never built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from difflib import get_close_matches
from typing import Final

from aiinfra.dataclass import dataclass
from aiinfra.domains.vsphere.facts.vgpu import family_of
from aiinfra.domains.vsphere.reading.observed import Card, Host, Sharing, VgpuProfile
from aiinfra.domains.vsphere.spec import VgpuDevices
from aiinfra.facts.gpus import GPUS, PCI_VENDOR, Gpu

MIXED: Final = "mixedSize"
"""`HostGraphicsInfo.vgpuMode` of a card that takes vGPUs of several sizes."""
MULTI_INSTANCE: Final = "multiInstanceGpu"
"""`HostGraphicsInfo.vgpuMode` of a card in MIG mode."""
SHARING: dict[Sharing, str] = {"timeSliced": "time-sliced", "mig": "MIG-backed"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile that can be started now."""

    profile: VgpuProfile
    hosts: Sequence[str]
    """Names of the hosts that can start it now."""
    passed_over: Sequence[str] = ()
    """Why each other profile of the model was not chosen, one sentence each."""


@dataclass(frozen=True, slots=True)
class NoProfile:
    """Why no profile can be chosen, with a hint."""

    code: str
    message: str
    hint: str
    unread: Sequence[str] = field(default=())
    """Hosts whose offers could not be read: they may have it."""


def sharing_of(devices: VgpuDevices) -> Sharing:
    """Return how profiles for these devices share a card."""
    return "mig" if devices.mode == "mig" else "timeSliced"


def least_gib(devices: VgpuDevices) -> int:
    """Return the least memory of each device in GiB, the unit of profiles."""
    return -(-(devices.memory or 0) // 1024)


def choose(hosts: Sequence[Host], devices: VgpuDevices) -> Choice | NoProfile:
    """Return the profile for the devices on these hosts; by model and memory the smallest that is large enough."""
    listed = {key(profile.name): profile for host in hosts for profile in host.profiles or ()}
    gpu = devices.gpu
    if devices.profile or gpu is None:
        return _named(hosts, devices, listed)
    by_size = sorted(listed.values(), key=lambda p: (p.frame_buffer_gib, p.name))
    return _fitting(hosts, devices, gpu, by_size)


def key(name: str) -> str:
    """Return what profile names are compared by: hosts of another branch may write another prefix or case."""
    return name.lower().partition("_")[2] or name.lower()


def startable_on(hosts: Sequence[Host], profile: str) -> list[str]:
    """Return the names of the hosts that can start it now."""
    return [host.name for host in hosts if any(key(name) == key(profile) for name in host.startable or ())]


def is_of(profile: VgpuProfile, gpu: Gpu) -> bool:
    return profile.device_vendor_id == int(gpu.pci_device, 16) << 16 | int(PCI_VENDOR, 16)


def _named(hosts: Sequence[Host], devices: VgpuDevices, listed: dict[str, VgpuProfile]) -> Choice | NoProfile:
    profile = listed.get(key(devices.profile))
    if profile is None:
        return _unknown(hosts, devices, [one.name for one in listed.values()])
    if profile.sharing != sharing_of(devices):
        mode = "mig" if profile.sharing == "mig" else "vgpu"
        message = f"profile {profile.name} is {SHARING[profile.sharing]}, not {SHARING[sharing_of(devices)]}"
        return NoProfile("vsphere.profile_mode", message, f"set gpu.mode: {mode}, or name another profile")
    return Choice(profile, on) if (on := startable_on(hosts, profile.name)) else _not_startable(hosts, profile)


def _unknown(hosts: Sequence[Host], devices: VgpuDevices, names: Sequence[str]) -> NoProfile:
    silent = [host.name for host in hosts if host.profiles is None]
    hint = _of_other_cards(hosts, devices.profile) or _nearest(devices.profile, names)
    return NoProfile("vsphere.profile_unknown", f"no host lists the vGPU profile {devices.profile}", hint, silent)


def _of_other_cards(hosts: Sequence[Host], profile: str) -> str:
    """Return which cards an unlisted profile is for; empty when a host has one, or when it is not known."""
    family = family_of(profile)
    cards = [card for host in hosts for card in host.cards]
    if family is None or any(card.device_id == int(GPUS[gpu].pci_device, 16) for gpu in family.gpus for card in cards):
        return ""
    return f"it is a profile of {' or '.join(family.gpus)}; {_present(hosts)}"


def _nearest(profile: str, names: Sequence[str]) -> str:
    near = get_close_matches(profile.lower(), [name.lower() for name in names], n=1)
    return f"did you mean {near[0]}?" if near else f"the hosts list: {some(names) or 'none'}"


def _present(hosts: Sequence[Host]) -> str:
    names = sorted({card.name for host in hosts for card in host.cards})
    return f"the hosts have: {', '.join(names) or 'no NVIDIA cards'}"


def _not_startable(hosts: Sequence[Host], profile: VgpuProfile) -> NoProfile:
    if silent := [host.name for host in hosts if host.startable is None]:
        message, hint = f"no host says that it can start {profile.name}", "see its vGPU profiles in vCenter"
        return NoProfile("vsphere.profile_not_startable", message, hint, silent)
    listing = some([h.name for h in hosts if any(key(p.name) == key(profile.name) for p in h.profiles or ())])
    if profile.sharing == "mig" and not any(shows_mig(host, profile.device_vendor_id) for host in hosts):
        message = f"{profile.name} is listed by {listing} and cannot be started: MIG mode is off on their free cards"
        return NoProfile("vsphere.mig_off", message, "switch MIG on in the host's shell: aiinfra doctor ENV shows how")
    sizes = _other_sizes(hosts, profile)
    if roomy := [one.name for one in _of_sizes(hosts, profile, sizes) if startable_on(hosts, one.name)]:
        run = f"its cards run vGPUs of {' and '.join(f'{size} GB' for size in sizes)}, and take one size each"
        message = f"{profile.name} is listed by {listing} and cannot be started: {run}"
        return NoProfile(
            "vsphere.profile_not_startable", message, f"switch mixed-size mode on for a card, or name {some(roomy)}"
        )
    message = f"{profile.name} is listed by {listing} and cannot be started: no card has room for it in its mode"
    hint = "free a card, or name a profile that can be started: aiinfra doctor ENV lists them"
    return NoProfile("vsphere.profile_not_startable", message, reboot(hosts) or hint)


def held(host: Host, card: Card) -> list[VgpuProfile]:
    """Return the profiles in use on a card; a VM on several cards counts with its largest device on each."""
    known = {key(one.name): one for one in host.profiles or ()}
    by_vm = {vm.name: [known[key(name)] for name in vm.profiles if key(name) in known] for vm in host.vms}
    on_card = (by_vm.get(name, ()) for name in card.vms)
    return [max(profiles, key=lambda one: one.frame_buffer_gib) for profiles in on_card if profiles]


def _other_sizes(hosts: Sequence[Host], profile: VgpuProfile) -> list[int]:
    """Return the sizes in GB that take all of its cards, none of which takes several; empty when a card is free."""
    cards = [(h, c) for h in hosts for c in h.cards if c.device_vendor_id == profile.device_vendor_id]
    running = [
        {one.frame_buffer_gib for one in held(host, card)} - {profile.frame_buffer_gib}
        if card.vgpu_mode != MIXED
        else set()
        for host, card in cards
    ]
    return sorted(set().union(*running)) if running and all(running) else []


def _of_sizes(hosts: Sequence[Host], profile: VgpuProfile, sizes: Sequence[int]) -> list[VgpuProfile]:
    """Return the profiles of the same cards, sharing and use with one of these sizes, each once."""
    listed = {key(one.name): one for host in hosts for one in host.profiles or ()}
    like = (profile.device_vendor_id, profile.sharing, profile.kind)
    alike = [one for one in listed.values() if (one.device_vendor_id, one.sharing, one.kind) == like]
    return [one for one in alike if one.frame_buffer_gib in sizes]


def shows_mig(host: Host, device_vendor_id: int) -> bool:
    """Whether MIG mode is on for such a card, as its `vgpuMode` (8.0.3) or a VM that runs there shows."""
    if any(card.vgpu_mode == MULTI_INSTANCE for card in host.cards if card.device_vendor_id == device_vendor_id):
        return True
    backed = {key(p.name) for p in host.profiles or () if p.sharing == "mig" and p.device_vendor_id == device_vendor_id}
    return any(key(name) in backed for vm in host.vms for name in vm.profiles)


def reboot(hosts: Sequence[Host]) -> str:
    """Return the hint to reboot the hosts that wait for it; empty when none does."""
    waiting = [host.name for host in hosts if host.reboot_required]
    return f"reboot {some(waiting)}: what was set on hosts takes effect then" if waiting else ""


def _fitting(
    hosts: Sequence[Host], devices: VgpuDevices, gpu: Gpu, profiles: Sequence[VgpuProfile]
) -> Choice | NoProfile:
    sharing, least = sharing_of(devices), least_gib(devices)
    alike = [profile for profile in profiles if is_of(profile, gpu)]
    if not alike:
        silent = [host.name for host in hosts if host.profiles is None]
        message = f"no host lists a vGPU profile of {gpu.name}"
        return NoProfile("vsphere.gpu_absent", message, reboot(hosts) or _present(hosts), silent)
    passed = dict(_passed_over(hosts, devices, alike))
    fitting = [profile for profile in alike if profile.name not in passed]
    if fitting:
        return Choice(fitting[0], startable_on(hosts, fitting[0].name), tuple(passed.values()))
    large = [p for p in alike if p.sharing == sharing and p.frame_buffer_gib >= least]
    if large:
        return _not_startable(hosts, large[0])
    most = max((p.frame_buffer_gib for p in alike if p.sharing == sharing), default=0)
    message = f"no {SHARING[sharing]} profile of {gpu.name} has {least} GiB"
    hint = f"the largest has {most} GiB" if most else f"its profiles are: {some([p.name for p in alike])}"
    return NoProfile("vsphere.profile_too_small", message, hint)


def _passed_over(
    hosts: Sequence[Host], devices: VgpuDevices, profiles: Sequence[VgpuProfile]
) -> Iterator[tuple[str, str]]:
    sharing, least = sharing_of(devices), least_gib(devices)
    for profile in profiles:
        if profile.sharing != sharing:
            yield profile.name, f"{profile.name} is {SHARING[profile.sharing]}"
        elif profile.kind != "compute":
            yield profile.name, f"{profile.name} is a {profile.kind} profile, not a compute one"
        elif profile.frame_buffer_gib < least:
            yield profile.name, f"{profile.name} has {profile.frame_buffer_gib} GiB, less than {least}"
        elif not startable_on(hosts, profile.name):
            yield profile.name, f"{profile.name} cannot be started now"


def some(names: Sequence[str], most: int = 8) -> str:
    """Return the first names, and how many more there are."""
    shown = sorted(names, key=_by_numbers)[:most]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown) + more


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Return a sort key by which `grid_a100-4c` comes before `grid_a100-10c`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
