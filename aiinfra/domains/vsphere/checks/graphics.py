"""Hosts that share their cards as vGPUs: graphics type, SR-IOV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aiinfra.domains.vsphere.checks.cards import setting_hint
from aiinfra.domains.vsphere.checks.findings import USER_GUIDE, Topic
from aiinfra.domains.vsphere.hosts.matching import model_of, usable_cards
from aiinfra.domains.vsphere.reading.observed import Card, Host
from aiinfra.domains.vsphere.spec import GpuTemplateSpec
from aiinfra.stack import Finding

POLICIES = {"performance": "spread over the cards", "consolidation": "packed on few cards"}
SHARED: Final = "sharedDirect"
GRAPHICS: Final = Topic("vsphere.graphics", "NVIDIA vGPU user guide, Changing the Default Graphics Type")
SRIOV: Final = Topic("vsphere.sriov", f"{USER_GUIDE}, prerequisites for vGPU")


def graphics_type(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether the host and its cards are SharedDirect, which aiinfra can set with `manage_hosts`."""
    if not spec.shares_cards:
        return
    cards = usable_cards(host, spec)
    if host.default_graphics_type is None:
        yield GRAPHICS.unread(host, "default_graphics_type", host.name, SHARED)
    elif any(card.graphics_type is None and not is_passed_through(card) for card in cards):
        ids = [card.pci_id for card in cards if card.graphics_type is None]
        why = host.unread.get("graphics", "the host lists no graphics type of it")
        yield GRAPHICS.unknown(host.name, f"{', '.join(ids)}: {why}", SHARED, "look at the host's graphics devices")
    else:
        yield _graphics(host, host.default_graphics_type, cards, spec)


def _graphics(host: Host, default: str, cards: Sequence[Card], spec: GpuTemplateSpec) -> Finding:
    other = [card for card in cards if card.graphics_type not in (None, SHARED)]
    passed = ", ".join(card.pci_id for card in cards if is_passed_through(card))
    if default != SHARED or other:
        shown = ", ".join(f"{card.pci_id} {card.graphics_type}" for card in other)
        read = f"host {default}" + (f", {shown}" if shown else "")
        if host.reboot_required and default == SHARED:
            return GRAPHICS.error(host.name, f"{read}: a reboot is pending", SHARED, f"reboot {host.name}")
        level = GRAPHICS.warning if spec.manage_hosts else GRAPHICS.error
        return level(host.name, read, SHARED, setting_hint(spec, "set SharedDirect and restart the host"))
    if passed and all(map(is_passed_through, cards)):
        hint = "switch passthrough off for one, and reboot: a card that is passed through serves no vGPU"
        return GRAPHICS.error(host.name, f"{passed} passed through", f"a card that is {SHARED}", hint)
    policy = POLICIES.get(host.assignment_policy or "", "policy not told")
    left = f"; {passed} passed through" if passed else ""
    return GRAPHICS.ok(host.name, f"sharedDirect, vGPUs {policy}{left}", SHARED)


def is_passed_through(card: Card) -> bool:
    """Whether the card is passed through: the host then lists it under no graphics device."""
    return card.graphics_type is None and card.passthrough is not None and card.passthrough.enabled


def sriov(host: Host, spec: GpuTemplateSpec) -> Iterator[Finding]:
    """Yield whether SR-IOV is on: vGPUs and MIG on Ampere and newer are virtual functions of the card."""
    if not spec.shares_cards:
        return
    for card in usable_cards(host, spec):
        if not is_passed_through(card):
            yield _sriov(host, card)


def _sriov(host: Host, card: Card) -> Finding:
    about, needed = f"{host.name} {card.pci_id}", "SR-IOV on, for GPUs of Ampere and newer"
    state = card.passthrough
    model = model_of(card)
    if model and model.family == "turing":
        return SRIOV.ok(about, "older than Ampere", needed)
    if state is None or state.sriov_capable is None:
        hint = "look at SR-IOV in the server's BIOS: the API does not show it for this card"
        return SRIOV.unread(host, "passthrough", about, needed, hint)
    if not state.sriov_capable:
        hint = "switch SR-IOV on in the server's BIOS"
        level = SRIOV.error if model else SRIOV.unknown
        return level(about, "the host shows the card without SR-IOV", needed, hint)
    if state.sriov_enabled and not state.sriov_active:
        return SRIOV.error(about, "enabled and not active: a reboot is pending", needed, f"reboot {host.name}")
    if not state.sriov_enabled:
        return SRIOV.error(about, "off", needed, "switch SR-IOV on in the server's BIOS and on the card")
    return SRIOV.ok(about, "on", needed)
