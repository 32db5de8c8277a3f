"""MIG mode of each card, inferred: a MIG-backed profile among those that can be started now means that it is on."""

from __future__ import annotations

from aiinfra.domains.vsphere.hosts.profiles import MULTI_INSTANCE, key
from aiinfra.domains.vsphere.reading.observed import Card, Host, Sharing


def mig_is_on(host: Host, card: Card) -> bool | None:
    """Whether MIG mode is on for a card; None when it cannot be inferred.

    `vgpuMode` says it where the API has it (8.0.3); else what VMs hold of the card, and which of its profiles can be
    started now.
    """
    alike = [one for one in host.cards if one.device_vendor_id == card.device_vendor_id]
    if any(one.vgpu_mode == MULTI_INSTANCE for one in alike):
        return card.vgpu_mode == MULTI_INSTANCE
    if (sharing := _held_sharing(host, card) or startable_sharing(host, card)) in ({"mig"}, {"timeSliced"}):
        return sharing == {"mig"}
    return False if not sharing and card.vgpu_mode in ("sameSize", "mixedSize") else None


def startable_sharing(host: Host, card: Card) -> set[Sharing]:
    """Return how the profiles of the card that can be started now share it."""
    return _sharing(host, card, {key(name) for name in host.startable or ()})


def _held_sharing(host: Host, card: Card) -> set[Sharing]:
    names = {key(name) for vm in host.vms if vm.name in card.vms for name in vm.profiles}
    return _sharing(host, card, names)


def _sharing(host: Host, card: Card, names: set[str]) -> set[Sharing]:
    profiles = (one for one in host.profiles or () if one.device_vendor_id == card.device_vendor_id)
    return {profile.sharing for profile in profiles if key(profile.name) in names}
