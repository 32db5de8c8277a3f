"""Which cards of a host the VMs of a template could use."""

from __future__ import annotations

from typing import Final

from aiinfra.domains.vsphere.facts.vgpu import family_of
from aiinfra.domains.vsphere.hosts.profiles import key
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec, PassthroughDevices, StaticDevices, VgpuDevices
from aiinfra.facts.gpus import GPUS, PCI_VENDOR, Gpu

NVIDIA: Final = int(PCI_VENDOR, 16)


def is_model(card: Card, gpu: Gpu) -> bool:
    """Whether the card is of this model, by its PCI ids."""
    if gpu.pci_subsystem and card.sub_device_id != int(gpu.pci_subsystem, 16):
        return False
    return (card.vendor_id, card.device_id) == (NVIDIA, int(gpu.pci_device, 16))


def model_of(card: Card) -> Gpu | None:
    """Return the card's model; None when it is not in our table."""
    return next((gpu for gpu in GPUS.values() if is_model(card, gpu)), None)


def usable_cards(host: Host, spec: GpuTemplateSpec) -> list[Card]:
    """Return the cards that a VM of the template could use, by model; all of them when the spec names none."""
    match spec.gpu:
        case StaticDevices(pci_ids=pci_ids):
            return [card for card in host.cards if card.pci_id in pci_ids]
        case (VgpuDevices() | PassthroughDevices()) as devices if gpu := devices.gpu:
            return [card for card in host.cards if is_model(card, gpu)]
        case VgpuDevices(profile=profile) if profile:
            return _cards_of_profile(host, profile)
    return list(host.cards)


def _cards_of_profile(host: Host, profile: str) -> list[Card]:
    """Return the cards of a profile as the host lists it; by the family in its name when it shares no card."""
    ids = {one.device_vendor_id for one in host.profiles or () if key(one.name) == key(profile)}
    if ids or (family := family_of(profile)) is None:
        return [card for card in host.cards if card.device_vendor_id in ids]
    return [card for card in host.cards if any(is_model(card, GPUS[name]) for name in family.gpus)]
