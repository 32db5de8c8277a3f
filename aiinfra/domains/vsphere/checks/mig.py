"""MIG mode of each card, inferred: a MIG-backed profile among those that can be started now means that it is on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.cards import concerned
from aiinfra.domains.vsphere.checks.findings import USER_GUIDE, Topic
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.hosts.profiles import MULTI_INSTANCE, key
from aiinfra.domains.vsphere.reading.observed import Card, Host, Sharing
from aiinfra.stack import Finding

MIG: Final = Topic("vsphere.mig", f"{USER_GUIDE}, Configuring a GPU for MIG-backed vGPUs")
ASK: Final = "run on the host:\n  nvidia-smi --query-gpu=pci.bus_id,mig.mode.current --format=csv"
_WORDS: Final = {True: "MIG on", False: "MIG off", None: "cannot be inferred: no profile of the card can be started"}


def mig(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """Card by card. One in the other mode is an error where the host has none in the mode that is needed."""
    if wanted.mode not in ("vgpu", "mig"):
        return
    on, cards = wanted.mode == "mig", concerned(host, wanted)
    needed = _WORDS[on]
    if cards and (host.startable is None or host.profiles is None):
        yield MIG.unread(host, "startable" if host.startable is None else "profiles", host.name, needed, ASK)
        return
    serves = any(is_on(host, card) == on for card in cards)
    for card in cards:
        yield _card(host, card, needed, on=on, serves=serves)


def _card(host: Host, card: Card, needed: str, *, on: bool, serves: bool) -> Finding:
    about, state = f"{host.name} {card.pci_id}", is_on(host, card)
    if state == on:
        return MIG.ok(about, _WORDS[state], needed)
    if state is not None:
        hint = "switch it in the host's shell" if on else "switch it in the host's shell, or set gpu.mode: mig"
        return (MIG.warning if serves else MIG.error)(about, _WORDS[state], needed, hint)
    if ("mig" if on else "timeSliced") in _startable(host, card):
        read = "on for some of its cards: which, this vCenter does not tell"
        return MIG.warning(about, read, needed, ASK)
    return MIG.unknown(about, _WORDS[None], needed, ASK)


def is_on(host: Host, card: Card) -> bool | None:
    """None: nobody tells. `vgpuMode` says it where the API has it (8.0.3); else what VMs hold of the card, and which
    of its profiles can be started now."""
    alike = [one for one in host.cards if one.device_vendor_id == card.device_vendor_id]
    if any(one.vgpu_mode == MULTI_INSTANCE for one in alike):
        return card.vgpu_mode == MULTI_INSTANCE
    if (sharing := _held(host, card) or _startable(host, card)) in ({"mig"}, {"timeSliced"}):
        return sharing == {"mig"}
    return False if not sharing and card.vgpu_mode in ("sameSize", "mixedSize") else None


def _held(host: Host, card: Card) -> set[Sharing]:
    names = {key(name) for vm in host.vms if vm.name in card.vms for name in vm.profiles}
    return _sharing(host, card, names)


def _startable(host: Host, card: Card) -> set[Sharing]:
    return _sharing(host, card, {key(name) for name in host.startable or ()})


def _sharing(host: Host, card: Card, names: set[str]) -> set[Sharing]:
    profiles = (one for one in host.profiles or () if one.device_vendor_id == card.device_vendor_id)
    return {profile.sharing for profile in profiles if key(profile.name) in names}
