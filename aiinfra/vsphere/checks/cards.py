"""The cards of a host: which are concerned, passed through, labelled, in MIG mode, of mixed sizes, with ECC."""

from __future__ import annotations

from collections.abc import Iterator

from aiinfra.facts.gpus import PCI_VENDOR, Gpu
from aiinfra.stack import Finding
from aiinfra.vsphere.checks.findings import error, ok, unknown, warning
from aiinfra.vsphere.checks.wanted import WantedVm
from aiinfra.vsphere.profiles import key
from aiinfra.vsphere.readings import Card, Host, VgpuProfile

NVIDIA = int(PCI_VENDOR, 16)


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
        ids = {p.device_vendor_id for p in host.profiles or () if key(p.name) == key(wanted.profile.name)}
        return [card for card in host.cards if card.device_vendor_id in ids]
    return list(host.cards)


def passthrough(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if wanted.passes_cards_through:
        for card in concerned(host, wanted):
            yield _passthrough(host, card, wanted)


def _passthrough(host: Host, card: Card, wanted: WantedVm) -> Finding:
    about, needed, state = f"{host.name} {card.pci_id}", "passthrough on", card.passthrough
    if state is None:
        return unknown("vsphere.passthrough", host, about, "passthrough", needed)
    if not state.capable:
        hint = "switch VT-d or AMD-Vi on in the server's BIOS"
        return error("vsphere.passthrough", about, "cannot be passed through", needed, hint)
    if state.enabled and not state.active:
        return error(
            "vsphere.passthrough", about, "enabled and not active: a reboot is pending", needed, f"reboot {host.name}"
        )
    if not state.enabled:
        by_hand = "switch passthrough on for it in the host's PCI devices"
        fix = "`up` sets it, as manage_hosts allows" if wanted.manage_hosts else f"{by_hand}, or set manage_hosts: true"
        return (warning if wanted.manage_hosts else error)("vsphere.passthrough", about, "off", needed, fix)
    return ok("vsphere.passthrough", about, "on", needed)


def labels(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    if not (wanted.passes_cards_through and wanted.label):
        return
    for card in concerned(host, wanted):
        read = f"label {card.passthrough.label}" if card.passthrough and card.passthrough.label else "no label"
        needed, about = f"label {wanted.label}", f"{host.name} {card.pci_id}"
        if read == needed:
            yield ok("vsphere.label", about, read, needed)
        else:
            by_hand = "set the hardware label of the device"
            fix = "`up` sets it, as manage_hosts allows"
            hint = fix if wanted.manage_hosts else f"{by_hand}, or set manage_hosts: true"
            yield warning("vsphere.label", about, read, needed, hint)


def mig(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """MIG mode, inferred: a MIG-backed profile among those that can be started now means that it is on."""
    if wanted.mode not in ("vgpu", "mig"):
        return
    cards = concerned(host, wanted)
    if not cards or host.startable is None or host.profiles is None:
        if cards:
            yield unknown("vsphere.mig", host, host.name, "startable", "MIG mode as the profile needs it")
        return
    on = mig_is_on(host, {card.device_vendor_id for card in cards})
    read = f"MIG {'on' if on else 'off'} on {len(cards)} of its cards"
    if wanted.mode == "mig" and not on:
        hint = "switch it on in the host's shell"
        yield error("vsphere.mig", host.name, read, "MIG on", hint)
    elif wanted.mode == "vgpu" and on and not _time_sliced(host, cards):
        hint = "switch it off in the host's shell, or set gpu.mode: mig"
        yield error("vsphere.mig", host.name, read, "MIG off", hint)
    else:
        yield ok("vsphere.mig", host.name, read, f"MIG {'on' if wanted.mode == 'mig' else 'off'}")


def mig_is_on(host: Host, device_vendor_ids: set[int]) -> bool:
    """`vgpuMode` says it where the API has it (8.0.3); else the profiles that can be started do."""
    if any(c.vgpu_mode == "multiInstanceGpu" for c in host.cards if c.device_vendor_id in device_vendor_ids):
        return True
    return any(p.sharing == "mig" for p in _startable(host) if p.device_vendor_id in device_vendor_ids)


def _time_sliced(host: Host, cards: list[Card]) -> bool:
    ids = {card.device_vendor_id for card in cards}
    return any(p.sharing == "timeSliced" for p in _startable(host) if p.device_vendor_id in ids)


def _startable(host: Host) -> list[VgpuProfile]:
    now = {key(name) for name in host.startable or ()}
    return [profile for profile in host.profiles or () if key(profile.name) in now]


def mixed_sizes(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """Without mixed-size mode all vGPUs of one card have one size."""
    if wanted.mode != "vgpu":
        return
    for card in concerned(host, wanted):
        about, needed = f"{host.name} {card.pci_id}", "told, as one size only fits on a card without mixed sizes"
        if card.vgpu_mode == "mixedSize":
            yield ok("vsphere.sizes", about, "mixed sizes", needed)
        elif card.vgpu_mode is None:
            hint = "expect one size for each card; vCenter 8.0 Update 3 tells it"
            yield warning("vsphere.sizes", about, "not told by this vCenter", needed, hint)
        else:
            yield ok("vsphere.sizes", about, "one size for each card", needed)


def ecc(host: Host, wanted: WantedVm) -> Iterator[Finding]:
    """No vSphere API tells it, so it is said once for each host that has the cards."""
    if concerned(host, wanted):
        hint = "run on the host: nvidia-smi --query-gpu=ecc.mode.current --format=csv"
        yield warning("vsphere.ecc", host.name, "no vSphere API tells the ECC mode", "ECC as you want it", hint)
