"""The cards of a host: whether they are known, passed through, labelled, of mixed sizes, with ECC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiinfra.domains.vsphere.checks.findings import API, USER_GUIDE, Topic
from aiinfra.domains.vsphere.hosts.matching import usable_cards
from aiinfra.domains.vsphere.hosts.profiles import held, key
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuDevices, GpuTemplateSpec, StaticDevices, VgpuDevices
from aiinfra.stack import Finding

CARDS: Final = Topic("vsphere.cards", f"{API}: HostPciDevice")
PASSTHROUGH: Final = Topic("vsphere.passthrough", f"{API}: HostPciPassthruInfo")
LABEL: Final = Topic("vsphere.label", f"{API}: VirtualPCIPassthroughDynamicBackingInfo.customLabel")
SIZES: Final = Topic("vsphere.sizes", f"{API}: HostGraphicsInfo.vgpuMode")
ECC: Final = Topic("vsphere.ecc", f"{USER_GUIDE}, ECC memory")


def known(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield an `unknown` when it is not known which cards could be used; no other check covers such a host."""
    needed = "the cards that it has, and what they serve"
    by_name = isinstance(spec.gpu, VgpuDevices) and spec.gpu.gpu is None
    if "cards" in host.unread:
        yield CARDS.unread(host, "cards", host.name, needed)
    elif by_name and host.cards and host.profiles is None:
        yield CARDS.unread(host, "profiles", host.name, needed, "see its vGPU profiles in vCenter")
    for pci_id in spec.gpu.pci_ids if isinstance(spec.gpu, StaticDevices) else ():
        if "cards" not in host.unread and all(card.pci_id != pci_id for card in host.cards):
            there = ", ".join(card.pci_id for card in host.cards) or "none"
            yield CARDS.error(host.name, f"no NVIDIA card {pci_id}; it has {there}", pci_id, "name a card that it has")


def passthrough(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    if spec.passes_cards_through:
        for card in usable_cards(host, spec):
            yield _passthrough(host, card, spec)


def _passthrough(host: Host, card: Card, spec: GpuTemplateSpec) -> Finding:
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
        hint = setting_hint(spec, "switch passthrough on for it in the host's PCI devices")
        level = PASSTHROUGH.warning if spec.manage_hosts else PASSTHROUGH.error
        return level(about, "off", needed, hint)
    return PASSTHROUGH.ok(about, "on", needed)


def setting_hint(spec: GpuTemplateSpec, by_hand: str) -> str:
    """Return the hint for what aiinfra can set itself, when it may."""
    return "`up` sets it, as manage_hosts allows" if spec.manage_hosts else f"{by_hand}, or set manage_hosts: true"


def labels(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    if not (spec.passes_cards_through and spec.label):
        return
    cards, needed = usable_cards(host, spec), f"label {spec.label}"
    labelled = any(card.passthrough and card.passthrough.label == spec.label for card in cards)
    for card in cards:
        about, state = f"{host.name} {card.pci_id}", card.passthrough
        read = f"label {state.label}" if state and state.label else "no label"
        if state is None:
            yield LABEL.unread(host, "passthrough", about, needed)
        elif read == needed:
            yield LABEL.ok(about, read, needed)
        else:
            level = LABEL.warning if labelled or spec.manage_hosts else LABEL.error
            yield level(about, read, needed, setting_hint(spec, "set the hardware label of the device"))


def mixed_sizes(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether each card takes vGPUs of several sizes; without mixed-size mode it does not."""
    if spec.gpu.mode != "vgpu":
        return
    for card in usable_cards(host, spec):
        about, needed = f"{host.name} {card.pci_id}", "told, as one size only fits on a card without mixed sizes"
        if card.vgpu_mode == "mixedSize":
            yield SIZES.ok(about, "mixed sizes", needed)
        elif card.vgpu_mode is None:
            hint = "expect one size for each card; vCenter 8.0 Update 3 tells it"
            yield SIZES.note(about, "not told by this vCenter", needed, hint)
        elif card.vgpu_mode == "sameSize":
            yield _one_size(host, card, spec.gpu, about, needed)


def _one_size(host: Host, card: Card, wanted: GpuDevices, about: str, needed: str) -> Finding:
    """Judge a card of one size by what runs on it. A profile that is chosen by memory fits what is there."""
    sizes = {one.frame_buffer_gib for one in held(host, card)}
    listed = {key(one.name): one.frame_buffer_gib for one in host.profiles or ()}
    named = listed.get(key(getattr(wanted, "profile", "")))
    if named is None or not sizes - {named}:
        return SIZES.ok(about, "one size for each card", needed)
    runs = " and ".join(f"{size} GB" for size in sorted(sizes))
    read = f"one size for each card, and it runs vGPUs of {runs}"
    return SIZES.warning(about, read, f"{named} GB", "switch mixed-size mode on, or name a profile of that size")


def ecc(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield a note for each host that has the cards, as no vSphere API shows the ECC mode."""
    if usable_cards(host, spec):
        hint = "run on the host:\n  nvidia-smi --query-gpu=ecc.mode.current --format=csv"
        yield ECC.note(host.name, "no vSphere API tells the ECC mode", "ECC as you want it", hint)
