"""The cards of a host: which are concerned, passed through, labelled, of mixed sizes, with ECC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, USER_GUIDE, Topic
from aiinfra.domains.vsphere.checks.wanted import WantedVm
from aiinfra.domains.vsphere.facts.vgpu import family_of
from aiinfra.domains.vsphere.hosts.profiles import key
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.facts.gpus import GPUS, PCI_VENDOR, Gpu
from aiinfra.stack import Finding

NVIDIA = int(PCI_VENDOR, 16)
CARDS: Final = Topic("vsphere.cards", f"{API}: HostPciDevice")
PASSTHROUGH: Final = Topic("vsphere.passthrough", f"{API}: HostPciPassthruInfo")
LABEL: Final = Topic("vsphere.label", f"{API}: VirtualPCIPassthroughDynamicBackingInfo.customLabel")
SIZES: Final = Topic("vsphere.sizes", f"{API}: HostGraphicsInfo.vgpuMode")
ECC: Final = Topic("vsphere.ecc", f"{USER_GUIDE}, ECC memory")


def is_model(card: Card, gpu: Gpu) -> bool:
    if gpu.pci_subsystem and card.sub_device_id != int(gpu.pci_subsystem, 16):
        return False
    return (card.vendor_id, card.device_id) == (NVIDIA, int(gpu.pci_device, 16))


def concerned(host: Host, wanted: WantedVm) -> list[Card]:
    """The cards that a VM of the template could use, by model; all of them when the file names no model."""
    if wanted.pci_ids:
        return [card for card in host.cards if card.pci_id in wanted.pci_ids]
    gpu = wanted.gpu or (wanted.profile.gpu if wanted.profile else None)
    if gpu:
        return [card for card in host.cards if is_model(card, gpu)]
    if wanted.profile and wanted.profile.name:
        return _serving(host, wanted.profile.name)
    return list(host.cards)


def _serving(host: Host, profile: str) -> list[Card]:
    """As the host lists the profile; where it does not, as while it shares no card, by the family in its name."""
    ids = {one.device_vendor_id for one in host.profiles or () if key(one.name) == key(profile)}
    if ids or (family := family_of(profile)) is None:
        return [card for card in host.cards if card.device_vendor_id in ids]
    return [card for card in host.cards if any(is_model(card, GPUS[name]) for name in family.gpus)]


def known(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """Says so when nobody can tell which cards are concerned: no other check speaks of such a host."""
    needed = "the cards that it has, and what they serve"
    by_name = wanted.profile is not None and wanted.profile.gpu is None
    if "cards" in host.unread:
        yield CARDS.unread(host, "cards", host.name, needed)
    elif by_name and host.cards and host.profiles is None:
        yield CARDS.unread(host, "profiles", host.name, needed, "see its vGPU profiles in vCenter")
    for pci_id in wanted.pci_ids:
        if "cards" not in host.unread and all(card.pci_id != pci_id for card in host.cards):
            there = ", ".join(card.pci_id for card in host.cards) or "none"
            yield CARDS.error(host.name, f"no NVIDIA card {pci_id}; it has {there}", pci_id, "name a card that it has")


def passthrough(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if wanted.passes_cards_through:
        for card in concerned(host, wanted):
            yield _passthrough(host, card, wanted)


def _passthrough(host: Host, card: Card, wanted: WantedVm) -> Finding:
    about, needed, state = f"{host.name} {card.pci_id}", "passthrough on", card.passthrough
    if state is None:
        return PASSTHROUGH.unread(host, "passthrough", about, needed)
    if not state.capable:
        hint = "switch VT-d or AMD-Vi on in the server's BIOS"
        return PASSTHROUGH.error(about, "cannot be passed through", needed, hint)
    if state.enabled and not state.active:
        read = "enabled and not active: a reboot is pending"
        return PASSTHROUGH.error(about, read, needed, f"reboot {host.name}")
    if not state.enabled:
        hint = settable(wanted, "switch passthrough on for it in the host's PCI devices")
        told = PASSTHROUGH.warning if wanted.manage_hosts else PASSTHROUGH.error
        return told(about, "off", needed, hint)
    return PASSTHROUGH.ok(about, "on", needed)


def settable(wanted: WantedVm, by_hand: str) -> str:
    """The way out for what aiinfra can set itself, when it may."""
    return "`up` sets it, as manage_hosts allows" if wanted.manage_hosts else f"{by_hand}, or set manage_hosts: true"


def labels(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if not (wanted.passes_cards_through and wanted.label):
        return
    cards, needed = concerned(host, wanted), f"label {wanted.label}"
    labelled = any(card.passthrough and card.passthrough.label == wanted.label for card in cards)
    for card in cards:
        about, state = f"{host.name} {card.pci_id}", card.passthrough
        read = f"label {state.label}" if state and state.label else "no label"
        if state is None:
            yield LABEL.unread(host, "passthrough", about, needed)
        elif read == needed:
            yield LABEL.ok(about, read, needed)
        else:
            told = LABEL.warning if labelled or wanted.manage_hosts else LABEL.error
            yield told(about, read, needed, settable(wanted, "set the hardware label of the device"))


def mixed_sizes(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """Without mixed-size mode all vGPUs of one card have one size."""
    if wanted.mode != "vgpu":
        return
    for card in concerned(host, wanted):
        about, needed = f"{host.name} {card.pci_id}", "told, as one size only fits on a card without mixed sizes"
        if card.vgpu_mode == "mixedSize":
            yield SIZES.ok(about, "mixed sizes", needed)
        elif card.vgpu_mode is None:
            hint = "expect one size for each card; vCenter 8.0 Update 3 tells it"
            yield SIZES.warning(about, "not told by this vCenter", needed, hint)
        elif card.vgpu_mode == "sameSize":
            yield SIZES.ok(about, "one size for each card", needed)


def ecc(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """No vSphere API tells it, so it is said once for each host that has the cards."""
    if concerned(host, wanted):
        hint = "run on the host:\n  nvidia-smi --query-gpu=ecc.mode.current --format=csv"
        told = ECC.warning(host.name, "no vSphere API tells the ECC mode", "ECC as you want it", hint)
        yield replace(told, lasting=True)
